import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../../support/cli.ts';
import { makeSshKey, writeAllowedSigners } from '../../../support/ssh-keys.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const root = temporaryDirectory();
const key = makeSshKey(root, 'host');
const stranger = makeSshKey(root, 'stranger');
const signers = writeAllowedSigners(join(root, 'signers'), [{ key, as: 'master.example' }]);
const others = writeAllowedSigners(join(root, 'others'), [{ key: stranger, as: 'stranger.example' }]);
const environment = {
  DOCKERCTL_FILE: join(root, 'signed.yaml'),
  DOCKERCTL_STATE_DIR: join(root, 'state'),
};
const away = { DOCKERCTL_STATE_DIR: join(root, 'other-state') };
const archive = join(root, 'a.tar');

mkdirSync(join(root, 'data'));
writeFileSync(join(root, 'data', 'file'), 'content');
writeFileSync(
  environment.DOCKERCTL_FILE,
  `name: signed
x-dockerctl:
  backup:
    repository: ${root}/repository
    signing-key: ${key}
    signers: ${signers}
    sources: {data: {paths: [${root}/data]}}
`,
  { mode: 0o600 },
);
const here = (...argv: string[]) => runCli(argv, { environment, workingDirectory: root });
const elsewhere = (...argv: string[]) => runCli(argv, { environment: away, workingDirectory: root });

assert.is((await here('backup')).status, 0);
assert.is((await here('backup', 'export', 'latest', '-o', archive)).status, 0);

test('show and list tell who made a snapshot', async () => {
  assert.match((await here('backup', 'show')).stdout, 'signature:   signed by master.example, SHA256:');
  assert.match((await here('backup', 'list')).stdout, 'master.example\n');
  const shown = JSON.parse((await elsewhere('backup', 'show', '-r', 'repository', '--json')).stdout);
  assert.is(shown.provenance.trust, 'foreign');
  const [listed] = JSON.parse(
    (await elsewhere('backup', 'list', '-r', 'repository', '--json', '--signers', others)).stdout,
  );
  assert.is(listed.provenance.trust, 'refused');
  assert.match(listed.provenance.problem, `whom ${others} does not allow`);
});

test('import takes what the signers signed, and refuses the rest with 12', async () => {
  const refused = await elsewhere('backup', 'import', archive, '-r', 'into', '--signers', others);
  assert.is(refused.status, 12);
  assert.equal(readdirSync(join(root, 'into', 'blobs', 'sha256')), []);
  const taken = await elsewhere('backup', 'import', archive, '-r', 'into', '--signers', signers);
  assert.is(taken.status, 0, taken.stderr);
  assert.match(taken.stdout, '(signed by master.example, SHA256:');
  const foreign = await elsewhere('backup', 'import', archive, '-r', 'foreign');
  assert.match(foreign.stdout, 'which nobody here vouches for)');
});

test('restore refuses with 12, before anything is written, what none of the signers signed', async () => {
  const restore = (...argv: string[]) =>
    elsewhere('restore', 'latest', '--to', 'out', '-r', 'repository', '-y', ...argv);
  const refused = await restore('--signers', others);
  assert.is(refused.status, 12, refused.stderr);
  assert.ok(refused.stderr.trim().split('\n').length <= 3);
  assert.not.ok(readdirSync(root).includes('out'));
  const plan = JSON.parse((await restore('--dry-run', '--json')).stdout);
  assert.is(plan.provenance.trust, 'foreign');
  assert.match((await restore('--dry-run', '--signers', signers)).stdout, 'signed by master.example');
  assert.is((await restore('--signers', signers)).status, 0);
});

test('a signers file that is not there is told as such', async () => {
  const { status, stderr } = await elsewhere(
    'backup',
    'import',
    archive,
    '-r',
    'none',
    '--signers',
    'nowhere',
  );
  assert.is(status, 12);
  assert.match(stderr, 'there is no such file');
});

test.run();

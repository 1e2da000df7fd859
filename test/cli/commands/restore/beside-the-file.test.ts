/** What the deployment file says beside it, on a machine that has neither. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { shortId } from '../../../../src/repository/snapshot/short-id.ts';
import { runCli } from '../../../support/cli.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

function host(sources: string) {
  const root = temporaryDirectory();
  const [etc, look] = [join(root, 'etc'), join(root, 'look')];
  for (const directory of ['etc', 'data', 'empty']) mkdirSync(join(root, directory), { mode: 0o700 });
  const file = join(etc, 'deployment.yaml');
  const text = `name: shop
x-dockerctl:
  backup:
    repository: ${root}/repository
    signing-key: none
    sources: {data: {paths: ["${root}/\${DATA}"]}, ${sources.replaceAll('ROOT', root)}}
`;
  writeFileSync(file, text, { mode: 0o600 });
  writeFileSync(join(etc, '.env'), 'DATA=data\n', { mode: 0o600 });
  const run = (...argv: string[]) =>
    runCli(argv, {
      environment: { DOCKERCTL_STATE_DIR: join(root, 'state') },
      workingDirectory: join(root, 'empty'),
    });
  return { root, etc, look, file, run };
}

test('variables of a file from the snapshot that are not here are told with the source that has them', async () => {
  const { root, etc, look, file, run } = host('secrets: {paths: [ROOT/etc/.env]}');
  const { stdout } = await run('-f', file, '--json', 'backup');
  const { id } = JSON.parse(stdout).snapshot;
  renameSync(etc, join(root, 'lost'));
  const latest = ['restore', 'latest', '-r', join(root, 'repository')];
  const refused = await run(...latest, '--dry-run');
  assert.is(refused.status, 2);
  assert.is(
    refused.stderr,
    `dockerctl: the deployment file of snapshot ${shortId(id)}: ${file}:6: x-dockerctl.backup.sources.data.paths[0]: the variable DATA is not set\n` +
      `  Fetch ${etc}/.env first, with --only secrets --to DIR, and copy it there from DIR/secrets${etc}/.env\n`,
  );
  const fetched = await run(...latest, '--only', 'secrets', '--to', look, '--yes');
  assert.is(fetched.status, 0, fetched.stderr);
  mkdirSync(etc, { mode: 0o700 });
  writeFileSync(join(etc, '.env'), readFileSync(join(look, 'secrets', etc, '.env')), { mode: 0o600 });
  const planned = await run(...latest, '--dry-run');
  assert.is(planned.status, 0, planned.stderr);
});

test('and where no source has them, with what to do then', async () => {
  const { root, etc, file, run } = host('');
  assert.is((await run('-f', file, 'backup')).status, 0);
  renameSync(etc, join(root, 'lost'));
  const { stderr } = await run('restore', 'latest', '-r', join(root, 'repository'), '--dry-run');
  assert.match(
    stderr,
    'the variable DATA is not set\n  Set DATA in the environment or in the file .env beside',
  );
});

test.run();

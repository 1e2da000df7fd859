import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../../support/cli.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const home = temporaryDirectory();
const repository = join(home, 'repository');
const state = join(home, 'state');
mkdirSync(join(home, 'data'));
writeFileSync(join(home, 'data', 'a'), 'one');
const recipient = 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj';
writeFileSync(
  join(home, 'dockerctl.yaml'),
  `name: host
x-dockerctl:
  backup:
    repository: ${repository}
    recipients: [${recipient}]
    signing-key: none
    keep: {last: 1}
    sources: {data: {paths: [${home}/data]}}
`,
  { mode: 0o600 },
);
const run = (...argv: string[]) =>
  runCli(['-f', join(home, 'dockerctl.yaml'), '--state-dir', state, ...argv]);

/** Every kind of file that a run and a check of it leave in the state directory, and those of other commands. */
async function fillState(): Promise<string[]> {
  rmSync(state, { recursive: true, force: true });
  for (const command of [['backup'], ['backup', 'verify'], ['backup', 'prune']])
    assert.is((await run(...command)).status, 0, command.join(' '));
  const others = ['backup/host/deliveries.json', 'restores/0a1b2c3d.json', 'catalog/1.4.json'];
  for (const path of others) {
    mkdirSync(join(state, path, '..'), { recursive: true });
    writeFileSync(join(state, path), '{}');
  }
  return readdirSync(state, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

const strange: Record<string, (path: string) => void> = {
  'a pipe': (path) => void execFileSync('mkfifo', [path]),
  'a directory': (path) => void mkdirSync(path),
  'a link to a device without end': (path) => symlinkSync('/dev/zero', path),
};

for (const [what, put] of Object.entries(strange)) {
  test(`${what} in the place of every file of the state directory keeps nobody waiting`, async () => {
    const files = await fillState();
    assert.ok(files.length > 6, files.join('\n'));
    for (const path of files) {
      rmSync(path);
      put(path);
    }
    for (const command of ['status', 'list', 'show latest', 'verify', 'prune', 'create', 'status']) {
      const { status, stderr } = await run('backup', ...command.split(' '));
      assert.is(status, 0, `${command}: ${stderr}`);
    }
    const restored = await run('--yes', 'restore', 'latest');
    assert.is(restored.status, 14, restored.stderr);
    assert.match(restored.stderr, /reading the journal .*0a1b2c3d.json: it is no file/);
  });
}

test('a file in the place of the directory of restores is named, and so is what an export cannot make', async () => {
  await fillState();
  const long = join(home, `${'long'.repeat(70)}.tar`);
  const exported = await run('backup', 'export', 'latest', '-o', long);
  assert.is(exported.status, 1);
  assert.match(
    exported.stderr,
    /^dockerctl: exporting snapshot \w{12} to \S+long.tar: ENAMETOOLONG: [^\n]+\n$/,
  );
  rmSync(join(state, 'restores'), { recursive: true });
  writeFileSync(join(state, 'restores'), '');
  const restored = await run('--yes', 'restore', 'latest', '--to', join(home, 'out'));
  assert.is(restored.status, 1);
  assert.match(restored.stderr, /^dockerctl: reading \S+\/restores: ENOTDIR: [^\n]+\n$/);
});

test.run();

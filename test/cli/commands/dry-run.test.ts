import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../support/cli.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = temporaryDirectory();
const repository = join(root, 'repository');
const file = join(root, 'dockerctl.yaml');
const dockerctl = (...argv: string[]) => runCli(['-f', file, '--state-dir', join(root, 'state'), ...argv]);

test.before(async () => {
  mkdirSync(join(root, 'files'));
  writeFileSync(join(root, 'files', 'one'), 'one');
  const sources = `sources: {files: {title: Files, paths: [${root}/files]}}`;
  const backup = `{repository: ${repository}, keep: {last: 1}, ${sources}}`;
  writeFileSync(file, `name: dry\nx-dockerctl: {backup: ${backup}}\n`, { mode: 0o600 });
  for (const argv of [
    ['backup'],
    ['backup'],
    ['backup', 'export', 'latest', '-o', join(root, 'one.tar')],
    ['restore', 'latest', '--yes'],
  ]) {
    const { status, stderr } = await dockerctl(...argv);
    assert.is(status, 0, stderr);
  }
});

/** Every file there is but locks, with all that `ls` and a checksum tell of it. */
function everything(): string {
  const files = "find . ! -name '*lock'";
  const list = `${files} -printf '%p %y %m %s %T@ %i %l\\n' | sort; ${files} -type f -exec sha256sum {} + | sort`;
  return execFileSync('sh', ['-c', list], { cwd: root, encoding: 'utf8' });
}

/** The file of what the first snapshot lists first. */
function firstLayer(): string {
  const { manifests } = JSON.parse(readFileSync(join(repository, 'index.json'), 'utf8'));
  const { layers } = JSON.parse(readFileSync(fileOf(manifests[0].digest), 'utf8'));
  return fileOf(layers[0].digest);
}

function fileOf(digest: string): string {
  return join(repository, 'blobs', ...digest.split(':'));
}

const told: Record<string, [argv: string[], tells: RegExp]> = {
  backup: [['backup'], /^would back up to .*repository:\n/],
  'a backup elsewhere': [['backup', './elsewhere'], /^would back up to .*elsewhere:\n/],
  'a backup for another host': [['backup', 'vault:/backups'], /and send that to vault:\/backups:\n/],
  sending: [
    ['backup', 'send', 'latest', 'vault:/backups'],
    /^would send what vault:\/backups lacks of snapshot /,
  ],
  'exporting images': [
    ['backup', 'export', 'latest', '--images', '-o', join(root, 'two.tar')],
    /^would write the images of snapshot .* to .*two\.tar\n/,
  ],
  exporting: [
    ['backup', 'export', 'latest', '-o', join(root, 'two.tar')],
    /^would write snapshot .* to .*two\.tar\n/,
  ],
  'exporting to standard output': [
    ['backup', 'export', 'latest'],
    /^would write snapshot .* to standard output\n/,
  ],
  'a receipt': [
    ['images', 'receipt', '-o', join(root, 'receipt.json')],
    /^would write which images this host has to .*receipt\.json\n/,
  ],
  'a check': [['backup', 'verify', '--read-data'], /^whole: 2 snapshots/],
  pruning: [['backup', 'prune'], /no rule keeps it/],
  removing: [['backup', 'remove', 'latest'], /^would remove /],
  'a new key': [['backup', 'key', 'generate'], /^would add /],
  'a restore': [['restore', 'latest'], /Files/],
  'the way back': [['restore', '--rollback'], /^would take back the restore /],
  'dropping what was replaced': [['restore', '--drop-old'], /^would remove .*\.dockerctl-restore-/],
};

for (const [what, [argv, tells]] of Object.entries(told)) {
  test(`a dry run of ${what} tells what would be done, and does nothing`, async () => {
    const before = everything();
    const { status, stdout, stderr } = await dockerctl(...argv, '--dry-run', '--yes');
    assert.is(status, 0, stderr);
    assert.match(stdout, tells);
    assert.is(everything(), before);
    JSON.parse((await dockerctl(...argv, '--dry-run', '--yes', '--json')).stdout);
  });
}

test('a dry run of a check that finds damage says so, and remembers nothing', async () => {
  const layer = firstLayer();
  const bytes = readFileSync(layer);
  writeFileSync(layer, Buffer.from(bytes).fill('X', bytes.length - 1));
  try {
    const before = everything();
    assert.is((await dockerctl('backup', 'verify', '--dry-run')).status, 14);
    assert.is(everything(), before);
  } finally {
    writeFileSync(layer, bytes);
  }
});

for (const argv of [
  ['backup', 'import', join(root, 'one.tar'), '-r', join(root, 'new')],
  ['backup', 'repair'],
  ['backup', 'repair', '--give-up'],
  ['backup', 'receive', join(root, 'new')],
  ['copy', `${root}/files/one`, 'web:/one'],
  ['run', 'web', 'true'],
  ['shell', 'web', 'true'],
]) {
  test(`${argv.slice(0, 2).join(' ')} has no dry run, says so, and does nothing`, async () => {
    const before = everything();
    const { status, stderr } = await dockerctl('--dry-run', '--yes', ...argv);
    assert.is(status, 2, stderr);
    assert.match(
      stderr,
      /^dockerctl: --dry-run: \w+ cannot tell beforehand what it would do, and did nothing\n {2}\w/,
    );
    assert.is(everything(), before);
  });
}

test.run();

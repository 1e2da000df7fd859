import { spawnSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mountTmpfs } from '../support/small-disk.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const root = temporaryDirectory();
const file = join(root, 'dockerctl.yaml');
const source = join(root, 'source');
mkdirSync(source);
writeFileSync(join(source, 'zeros'), '');
truncateSync(join(source, 'zeros'), 3_000_000);
writeFileSync(
  file,
  `name: printed
x-dockerctl:
  backup:
    repository: ${root}/repository
    sources: {files: {title: Files, paths: [${source}]}}
`,
  { mode: 0o600 },
);

/** The real command, whose standard output is `output`, as the shell's `>` has it. */
function printTo(output: number, ...args: string[]): { status: number | null; stderr: string } {
  const argv = ['src/cli/bin.ts', '--state-dir', join(root, 'state'), '-f', file, ...args];
  return spawnSync(process.execPath, argv, { stdio: ['ignore', output, 'pipe'], encoding: 'utf8' });
}

function printToFile(path: string, ...args: string[]): { status: number | null; stderr: string } {
  const output = openSync(path, 'w');
  try {
    return printTo(output, ...args);
  } finally {
    closeSync(output);
  }
}

function printed(...args: string[]): string {
  const path = join(root, 'printed');
  assert.is(printToFile(path, ...args).status, 0, args.join(' '));
  return readFileSync(path, 'utf8');
}

assert.is(printToFile('/dev/null', 'backup').status, 0);
const zeros = `files:${source.slice(1)}/zeros`;

test('a result that a full disk cuts short ends with 13 and says so in three lines', () => {
  const disk = mountTmpfs(join(root, 'disk'), { mebibytes: 1, inodes: 10 });
  try {
    for (const args of [
      ['backup', 'export', 'latest', '-o', '-'],
      ['backup', 'cat', 'latest', zeros],
    ]) {
      if (args.includes('export')) disk.leaveFree(8192);
      const { status, stderr } = printToFile(join(disk.directory, 'result'), ...args);
      disk.clear();
      assert.is(status, 13, args.join(' '));
      assert.match(stderr, /^dockerctl: .*(ENOSPC|the disk is full)/);
      assert.ok(stderr.trimEnd().split('\n').length <= 3, stderr);
    }
  } finally {
    disk.remove();
  }
  const { status, stderr } = printToFile('/dev/full', 'backup', 'list');
  assert.is(status, 13);
  assert.match(stderr, /^dockerctl: writing to standard output: ENOSPC/);
});

test('work that is done for good stands though what tells of it cannot be printed', () => {
  const list = () => JSON.parse(printed('backup', 'list', '--json')) as { id: string }[];
  const before = list().length;
  const archive = join(root, 'archive.tar');
  const work = [
    ['backup'],
    ['backup', 'export', 'latest', '-o', archive],
    ['backup', 'import', archive, '-r', join(root, 'elsewhere')],
    ['backup', 'repair'],
    ['backup', 'remove', 'latest', '--yes'],
    ['backup', 'prune'],
    ['restore', 'latest', '--to', join(root, 'restored'), '--yes'],
  ];
  for (const args of work) {
    const { status, stderr } = printToFile('/dev/full', ...args);
    assert.is(status, 0, `${args.join(' ')}: ${stderr}`);
    const warning =
      /^dockerctl: warning: writing to standard output: ENOSPC.*: the work is done, only this report of it is cut short$/m;
    assert.match(stderr, warning, args.join(' '));
    if (args.length > 1) continue;
    assert.is(list().length, before + 1);
    const { lastRun } = JSON.parse(printed('backup', 'status', '--json'));
    assert.equal([lastRun.outcome, lastRun.snapshot], ['complete', list().at(-1)!.id]);
  }
  assert.is(printToFile('/dev/full', 'backup', 'verify').status, 13, 'a check whose result nobody saw');
});

test('a machine that waits for the report of work that is done hears that it came to nothing, and not to run it again', () => {
  const { status, stderr } = printToFile('/dev/full', 'backup', '--json');
  assert.is(status, 13);
  const { error } = JSON.parse(stderr.trimEnd().split('\n').at(-1)!);
  assert.is(error.advice, 'The work is done, do not run it again: only this report of it is cut short');
});

test('what a command has to tell by its exit status it tells though its report cannot be printed', () => {
  const spoilt = join(root, 'spoilt');
  cpSync(join(root, 'repository'), spoilt, { recursive: true });
  const blobs = join(spoilt, 'blobs', 'sha256');
  const packs = readdirSync(blobs).filter((name) => isPack(readFileSync(join(blobs, name))));
  for (const name of packs) rmSync(join(blobs, name));
  for (const args of [
    ['backup', 'verify', '-r', spoilt],
    ['backup', 'repair', '-r', spoilt],
    ['restore', 'latest', '-r', spoilt, '--skip-damaged', '--to', join(root, 'salvaged'), '--yes'],
  ]) {
    for (const format of [[], ['--json']]) {
      const { status, stderr } = printToFile('/dev/full', ...args, ...format);
      assert.is(status, 14, `${args.join(' ')}: ${stderr}`);
      assert.match(stderr, 'writing to standard output: ENOSPC');
      if (format.length > 0)
        assert.match(JSON.parse(stderr.trimEnd().split('\n').at(-1)!).warning, 'is cut short');
      rmSync(join(root, 'salvaged'), { recursive: true, force: true });
    }
  }
});

/** A zstd stream that is no text: neither is it so small as what tells of it. */
function isPack(bytes: Buffer): boolean {
  return bytes.readUInt32LE() === 0xfd2fb528 && bytes.length > 300;
}

test('a file takes all of a result', () => {
  const path = join(root, 'result');
  assert.is(printToFile(path, 'backup', 'cat', 'latest', zeros).status, 0);
  assert.ok(readFileSync(path).equals(Buffer.alloc(3_000_000)));
  assert.is(printToFile(path, 'backup', 'export', 'latest').status, 0);
  assert.ok(statSync(path).size > 10_000);
});

test('a reader that goes away ends the command without a word, and takes no failure back', () => {
  const cut = pipeToHead(file, 'cat', 'latest', zeros);
  assert.equal(cut, { stdout: '\u00000\n', stderr: '' });
  const incomplete = join(root, 'incomplete.yaml');
  writeFileSync(incomplete, readFileSync(file, 'utf8').replace(source, `${root}/missing`), { mode: 0o600 });
  assert.match(pipeToHead(incomplete, '--json').stdout, /^\{?3\n$/);
});

test('an archive whose reader goes away is a failure: nobody has all of it', () => {
  const nobody =
    'mkfifo "$3"; exec 3<>"$3" 4>"$3" 3<&-; "$0" src/cli/bin.ts --state-dir "$1" -f "$2" backup export latest >&4';
  const argv = ['-c', nobody, process.execPath, join(root, 'state'), file, join(root, 'pipe')];
  const { status, stderr } = spawnSync('sh', argv, { encoding: 'utf8' });
  assert.is(status, 1);
  assert.match(stderr, 'its reader ended before it had all of it');
});

/** Runs `dockerctl backup` for a reader that wants one byte, and prints its exit status behind that. */
function pipeToHead(deployment: string, ...args: string[]): { stdout: string; stderr: string } {
  const command =
    '"$0" src/cli/bin.ts --state-dir "$1" -f "$2" backup "${@:3}" | head -c 1; echo "${PIPESTATUS[0]}"';
  const argv = ['-c', command, process.execPath, join(root, 'state'), deployment, ...args];
  const { stdout, stderr } = spawnSync('bash', argv, { encoding: 'utf8' });
  return { stdout, stderr };
}

test('what cannot be told on standard error changes nothing', () => {
  const full = openSync('/dev/full', 'w');
  const argv = ['src/cli/bin.ts', '-f', join(root, 'none.yaml'), 'backup'];
  assert.is(spawnSync(process.execPath, argv, { stdio: ['ignore', 'ignore', full] }).status, 10);
  closeSync(full);
});

test('a new key that standard output does not take is not used: nobody would have it', () => {
  const before = readFileSync(file, 'utf8');
  for (const format of [[], ['--json']]) {
    const { status, stderr } = printToFile('/dev/full', 'backup', 'key', 'generate', ...format);
    assert.is(status, 1);
    assert.match(stderr, 'standard output did not take it');
    assert.is(readFileSync(file, 'utf8'), before);
  }
});

test.run();

import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createBackup } from '../../src/backup/create.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { openOrCreateRepository } from '../../src/repository/open.ts';
import { prepareRestore } from '../../src/restore/restore.ts';
import { codeOf } from '../../src/support/errors.ts';
import { pathAt, toFsPath } from '../../src/support/posix/byte-path.ts';
import { makeDeviceAt, makeFifoAt } from '../../src/support/posix/make-node.ts';
import { currentDirectory } from '../../src/support/posix/stat.ts';
import { setTimesAt } from '../../src/support/posix/times.ts';
import { setXattr } from '../../src/support/posix/xattrs.ts';
import { readText } from '../support/deployment.ts';
import { makeOddTree } from '../support/odd-tree.ts';
import fc from '../support/property.ts';
import { quietContext } from '../support/save-directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { fingerprint } from './fingerprint.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
let count = 0;

/** Backs `directory` up and restores it beside; returns where it is. */
async function roundTrip(directory: string): Promise<{ path: string; to: string; warnings: string[] }> {
  const to = join(root, `restored-${count++}`);
  const sources = `{files: {title: Files, paths: [${directory}]}}`;
  const deployment = await readText(
    `name: test\nservices: {}\nx-dockerctl: {backup: {repository: ${root}/repository, sources: ${sources}}}\n`,
  );
  const repository = await openOrCreateRepository(join(root, 'repository'), context);
  try {
    const options = { engine: {} as Engine, repository, full: false, host: 'here' };
    const { snapshot } = await createBackup(deployment, options, context);
    assert.ok(snapshot.complete, JSON.stringify(snapshot));
    const request = { snapshot: snapshot.id, only: ['files'], full: false, to };
    const ports = {
      repository,
      host: undefined,
    };
    const { warnings } = await (await prepareRestore(request, ports, context)).run();
    return { path: join(to, 'files', directory), to, warnings };
  } finally {
    await repository.close();
  }
}

test('a file of every kind that is hard to keep is the same again', async () => {
  const directory = join(root, 'odd');
  mkdirSync(directory);
  makeOddTree(directory);
  const { path, warnings } = await roundTrip(directory);
  assert.equal(fingerprint(path), fingerprint(directory));
  assert.equal(warnings, []);
});

interface Made {
  kind: 'file' | 'directory' | 'symlink' | 'fifo' | 'device' | 'hardlink' | 'sparse';
  /** Chooses among the directories, or the files, made so far. */
  choice: number;
  name: string;
  bytes: Uint8Array;
  mode: number;
  owner: [number, number];
  mtime: bigint;
  xattr: [string, Uint8Array] | undefined;
}

const byteName = fc
  .oneof(
    { weight: 9, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 20 }) },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 255, maxLength: 255, min: 0x80 }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        ...['\n', '-rf', ' ', '...', '\\', '*', 'a\nb'].map((name) => Buffer.from(name)),
      ),
    },
  )
  .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0 && byte !== 0x2f)).toString('latin1'))
  .filter((name) => name !== '' && name !== '.' && name !== '..');

/** May bind low ports, as `setcap cap_net_bind_service=ep` writes it. */
const capability: [string, Uint8Array] = [
  'security.capability',
  new Uint8Array(Uint32Array.of(0x02000001, 1 << 10, 0, 0, 0).buffer),
];

/** An access list that lets one more user read, as `setfacl -m u:ID:r` writes it. Source: linux/posix_acl_xattr.h. */
function accessFor(user: number): [string, Uint8Array] {
  const list = Buffer.alloc(4 + 5 * 8, 0xff);
  list.writeUInt32LE(2, 0);
  const entries: [tag: number, permissions: number, id?: number][] = [
    [0x01, 6],
    [0x02, 4, user],
    [0x04, 4],
    [0x10, 4],
    [0x20, 0],
  ];
  for (const [i, [tag, permissions, id]] of entries.entries()) {
    list.writeUInt16LE(tag, 4 + i * 8);
    list.writeUInt16LE(permissions, 6 + i * 8);
    if (id !== undefined) list.writeUInt32LE(id, 8 + i * 8);
  }
  return ['system.posix_acl_access', list];
}

const made: fc.Arbitrary<Made> = fc.record({
  kind: fc.constantFrom(
    'file',
    'file',
    'directory',
    'directory',
    'symlink',
    'fifo',
    'device',
    'hardlink',
    'sparse',
  ),
  choice: fc.nat(1000),
  name: byteName,
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.nat(70_000).map((length) => Buffer.alloc(length, length)),
  ),
  mode: fc.nat(0o7777),
  owner: fc.tuple(fc.nat(70_000), fc.nat(70_000)),
  // As far as ext4 can tell: from 1901 to 2446.
  mtime: fc.bigInt({ min: -(2n ** 31n) * 10n ** 9n, max: (2n ** 34n - 2n ** 31n) * 10n ** 9n - 1n }),
  xattr: fc.option(
    fc.oneof(
      fc.tuple(
        byteName.map((name) => `user.${name.slice(0, 250)}`),
        fc.uint8Array({ maxLength: 100 }),
      ),
      fc.constant(capability),
      fc.nat(70_000).map(accessFor),
    ),
    { nil: undefined },
  ),
});

/** Makes what it can; returns every path, parents before children. */
function build(top: string, all: readonly Made[]): { path: string; made: Made }[] {
  const directories = [top];
  const files: string[] = [];
  const done: { path: string; made: Made }[] = [];
  for (const one of all) {
    const path = `${directories[one.choice % directories.length]}/${one.name}`;
    try {
      if (one.kind === 'directory') {
        mkdirSync(toFsPath(path));
        directories.push(path);
      } else if (one.kind === 'symlink') symlinkSync(toFsPath(one.name), toFsPath(path));
      else if (one.kind === 'fifo') makeFifoAt(currentDirectory, path, 0o600);
      else if (one.kind === 'device')
        makeDeviceAt(currentDirectory, path, 'block', 0o600, { major: 1, minor: one.choice });
      else if (one.kind === 'hardlink') {
        const target = files[one.choice % Math.max(files.length, 1)];
        if (target !== undefined) linkSync(toFsPath(target), toFsPath(path));
        continue;
      } else {
        writeFileSync(toFsPath(path), one.bytes, { flag: 'wx' });
        if (one.kind === 'sparse') truncateSync(toFsPath(path), one.bytes.length + 200_000 + one.choice);
        files.push(path);
      }
      done.push({ path, made: one });
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' && codeOf(error) !== 'ENAMETOOLONG') throw error;
    }
  }
  return done;
}

/** Children first, for making a child moves the time of its directory. */
function dress({ path, made }: { path: string; made: Made }): void {
  const file = toFsPath(pathAt(currentDirectory, path));
  if (made.kind !== 'symlink') {
    chownSync(file, ...made.owner);
    chmodSync(file, made.mode);
    if (made.xattr && mayHave(made.kind, made.xattr[0])) setXattr(path, ...made.xattr);
  }
  setTimesAt(currentDirectory, path, made.mtime);
}

function mayHave(kind: Made['kind'], name: string): boolean {
  const isFile = kind === 'file' || kind === 'sparse';
  return isFile || (kind === 'directory' && name !== capability[0]);
}

test('any tree is the same again: names, kinds, owners, modes, links, holes, attributes, times', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(made, { maxLength: 40 }), async (all) => {
      const directory = join(root, `tree-${count}`);
      mkdirSync(directory);
      for (const one of build(directory, all).toReversed()) dress(one);
      const { path, to } = await roundTrip(directory);
      assert.equal(fingerprint(path), fingerprint(directory));
      for (const gone of [directory, to]) rmSync(gone, { recursive: true });
    }),
    { numRuns: 25, includeErrorInReport: true },
  );
});

test.run();

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Identity } from '../../../src/repository/age/keys.ts';
import { openRepository } from '../../../src/repository/open.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { DamagedError } from '../../../src/support/errors.ts';
import { toText } from '../../../src/support/posix/byte-path.ts';
import { quietContext } from '../../support/save-directory.ts';
import { type KnownFile, makeSmallRepository } from './small-repository.ts';

/** How many bytes of each kind of file were flipped, one at a time. */
export type Flipped = Map<KnownFile['kind'], number>;

/**
 * Flips one byte of a small repository at a time, each `step`-th of every file. `backup verify --read-data` must find
 * each, and say which snapshots and files it spoils: for a pack exactly those that cannot be read any more, and for
 * part of a tree those that were told of there and that another snapshot has too.
 */
export async function flipBytes(
  root: string,
  keys: readonly Identity[],
  stepOf: (bytes: number) => number,
): Promise<Flipped> {
  const { directory: golden, files, snapshots } = await makeSmallRepository(root, keys);
  const directory = join(root, 'flipped');
  cpSync(golden, directory, { recursive: true });
  const whole = await readEverything(directory, keys, root, snapshots);
  const flipped: Flipped = new Map();
  for (const file of files) {
    const path = join(directory, file.path);
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at += stepOf(bytes.length)) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1 << (at % 8);
      writeFileSync(path, changed);
      await checkFlip({ directory, root, keys, snapshots, whole }, file, `byte ${at} of a ${file.kind}`);
      flipped.set(file.kind, (flipped.get(file.kind) ?? 0) + 1);
    }
    writeFileSync(path, bytes);
  }
  return flipped;
}

interface Checked {
  directory: string;
  root: string;
  keys: readonly Identity[];
  snapshots: readonly Snapshot[];
  whole: Contents;
}

async function checkFlip(checked: Checked, file: KnownFile, what: string): Promise<void> {
  const context = quietContext(join(checked.root, 'elsewhere'));
  const repository = await openRepository(checked.directory, context, { identities: checked.keys });
  try {
    const { damage } = await repository.verify({ readData: true }, context);
    assert.ok(
      damage.some((each) => each.path.endsWith(file.path)),
      `${what} was not found`,
    );
    const named = [...new Set(damage.flatMap((each) => each.snapshots))];
    assert.equal(named.sort(), [...file.neededBy].sort(), `${what}: the snapshots it spoils`);
    const files = [...new Set(damage.flatMap((each) => each.files))];
    if (file.kind === 'tree') checkLostSegment(checked, file, files, what);
    else if (file.kind === 'pack' || file.kind === 'index')
      await checkLostFiles(repository, checked, file, files, what);
    else if (file.kind === 'manifest' || file.kind === 'config')
      assert.equal(files, ['files:every file', 'other:every file'], what);
    else assert.equal(files, [], what);
  } finally {
    await repository.close();
  }
}

/** Of what the segment told, everything that a snapshot still tells which needs it not. */
function checkLostSegment(
  { whole }: Checked,
  { neededBy, tellsOf }: KnownFile,
  named: readonly string[],
  what: string,
): void {
  assert.match(named[0] ?? '', /^(files|other):every file/, what);
  for (const [id, files] of whole) {
    if (neededBy.includes(id)) continue;
    const lost = tellsOf.filter((file) => files.has(file));
    for (const file of lost) assert.ok(named.includes(file), `${what}: it spoils ${file}, not only ${named}`);
  }
}

async function checkLostFiles(
  repository: Repository,
  { snapshots, whole }: Checked,
  { neededBy }: KnownFile,
  named: readonly string[],
  what: string,
): Promise<void> {
  assert.ok(named.length > 0, `${what}: no file is named`);
  const lost = new Set<string>();
  for (const snapshot of snapshots.filter(({ id }) => neededBy.includes(id))) {
    const left = await readContents(repository, snapshot);
    for (const file of whole.get(snapshot.id)!) if (!left.has(file)) lost.add(file);
  }
  if (lost.size > 0) assert.equal([...named].sort(), [...lost].sort(), `${what}: the files it spoils`);
}

/** `source:path` of every file that can be read, by the snapshot's id. */
type Contents = Map<string, Set<string>>;

async function readEverything(
  directory: string,
  keys: readonly Identity[],
  root: string,
  snapshots: readonly Snapshot[],
): Promise<Contents> {
  const repository = await openRepository(directory, quietContext(join(root, 'elsewhere')), {
    identities: keys,
  });
  try {
    const contents: Contents = new Map();
    for (const snapshot of snapshots) contents.set(snapshot.id, await readContents(repository, snapshot));
    return contents;
  } finally {
    await repository.close();
  }
}

async function readContents(repository: Repository, snapshot: Snapshot): Promise<Set<string>> {
  const readable = new Set<string>();
  for (const { name } of snapshot.sources) {
    await unlessDamaged(async () => {
      for await (const entry of repository.entries(snapshot, name)) {
        if (entry.type !== 'file') continue;
        await unlessDamaged(async () => {
          await Array.fromAsync(repository.content(snapshot, entry));
          readable.add(`${name}:${toText(entry.path)}`);
        });
      }
    });
  }
  return readable;
}

async function unlessDamaged(work: () => Promise<void>): Promise<void> {
  await work().catch((error: unknown) => {
    if (!(error instanceof DamagedError)) throw error;
  });
}

import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Identity } from '../../../src/repository/age/keys.ts';
import type { Entry } from '../../../src/repository/entry.ts';
import { openOrCreateRepository, openRepository } from '../../../src/repository/open.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { quietContext, saveDirectories } from '../../support/save-directory.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { sealings } from '../sealings.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
const contents = new Map<string, Buffer>();

/** Some 100 MB: more frames than are kept, small files that share frames, and content that comes many times. */
function makeSource(): string {
  const directory = join(root, 'source');
  mkdirSync(directory);
  const often = randomBytes(3000);
  for (let i = 0; i < 40; i++) contents.set(`large-${i}`, randomBytes(2_000_000 + i * 30_000));
  for (let i = 0; i < 2000; i++) contents.set(`small-${i}`, i % 9 === 0 ? often : randomBytes(1 + i * 3));
  contents.set('twice', Buffer.concat([contents.get('large-1')!, contents.get('large-1')!]));
  for (const [name, bytes] of contents) writeFileSync(join(directory, name), bytes);
  return directory;
}

interface Opened {
  repository: Repository;
  snapshot: Snapshot;
  entries: Entry[];
}

async function save(name: string, keys: Identity[]): Promise<Opened> {
  const written = await openOrCreateRepository(join(root, name), context);
  await saveDirectories(written, { files: join(root, 'source') }, context, keys);
  await written.close();
  const repository = await openRepository(join(root, name), context, { identities: keys });
  const snapshot = await repository.find('latest');
  const entries = await Array.fromAsync(repository.entries(snapshot, 'files'));
  return { repository, snapshot, entries: entries.filter(({ type }) => type === 'file') };
}

/** Looks at each piece of a file before it asks for the next. */
async function compareLent({ repository, snapshot }: Opened, entry: Entry): Promise<void> {
  const want = contents.get(entry.path)!;
  let at = 0;
  for await (const piece of repository.content(snapshot, entry, { lent: true })) {
    await new Promise(setImmediate);
    assert.ok(want.subarray(at, at + piece.length).equals(piece), `${entry.path} from byte ${at}`);
    at += piece.length;
  }
  assert.is(at, want.length);
}

makeSource();

for (const [title, keys] of sealings) {
  test(`${title}: lent pieces are whole as long as they may be looked at, in any order and eight files at a time`, async () => {
    const opened = await save(title, [...keys]);
    const random = seededRandom(1);
    const waiting = [...opened.entries, ...opened.entries].map((entry) => ({ entry, at: random() }));
    waiting.sort((a, b) => a.at - b.at);
    const reader = async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
        await compareLent(opened, next.entry);
    };
    await Promise.all(Array.from({ length: 8 }, reader));
    await opened.repository.close();
  });
}

test('pieces that were not lent stay whole, whatever is lent besides', async () => {
  const opened = await save('kept', []);
  const { repository, snapshot, entries } = opened;
  const kept = new Map<string, Uint8Array[]>();
  for (const [i, entry] of entries.entries()) {
    if (i % 3 === 0) kept.set(entry.path, await Array.fromAsync(repository.content(snapshot, entry)));
    else await compareLent(opened, entry);
  }
  for (const [path, pieces] of kept) assert.ok(Buffer.concat(pieces).equals(contents.get(path)!), path);
  await repository.close();
});

test('a file that is read no further leaves the others whole', async () => {
  const opened = await save('left', []);
  for (const entry of opened.entries.filter(({ path }) => path.startsWith('large'))) {
    for await (const piece of opened.repository.content(opened.snapshot, entry, { lent: true })) {
      assert.ok(contents.get(entry.path)!.subarray(0, piece.length).equals(piece));
      break;
    }
    await compareLent(opened, opened.entries.find(({ path }) => path === 'twice')!);
  }
  await opened.repository.close();
});

test.run();

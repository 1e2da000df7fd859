import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generateIdentity, type Identity } from '../../../src/repository/age/keys.ts';
import { openRepository } from '../../../src/repository/open.ts';
import type { ReadableRepository } from '../../../src/repository/repository.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { isWithin } from '../../../src/repository/tree/path-range.ts';
import { findLoss } from '../../../src/restore/salvage/find-loss.ts';
import { withoutLosses } from '../../../src/restore/salvage/without-losses.ts';
import { makeSmallRepository } from '../../repository/torture/small-repository.ts';
import { random, seed } from '../../support/random.ts';
import { quietContext } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
/** Of every file of the repository so many bytes, wherever chance has it. */
const perFile = 12;

for (const keys of [[], [generateIdentity()]]) {
  const kind = keys.length === 0 ? 'plain' : 'encrypted';

  test(`${kind}: whichever byte is wrong, what comes back is whole, and what does not is named`, async () => {
    const { directory, files } = await makeSmallRepository(mkdtempSync(join(root, 'small-')), keys);
    const flipped = mkdtempSync(join(root, 'flipped-'));
    cpSync(directory, flipped, { recursive: true });
    const whole = await inRepository(directory, keys, (repository, snapshot) =>
      readAll(repository, snapshot),
    );
    let lost = 0;
    for (const { path, kind } of files) {
      if (!['pack', 'index', 'tree'].includes(kind)) continue;
      const bytes = readFileSync(join(directory, path));
      for (let i = 0; i < perFile; i++) {
        const changed = Buffer.from(bytes);
        const at = Math.floor(random() * bytes.length);
        changed[at]! ^= 1 << Math.floor(random() * 8);
        writeFileSync(join(flipped, path), changed);
        const what = `seed ${seed}: byte ${at} of the ${kind} ${path}`;
        lost += await inRepository(flipped, keys, (repository, snapshot) =>
          expectNamed(repository, snapshot, whole, what),
        );
      }
      writeFileSync(join(flipped, path), bytes);
    }
    assert.ok(lost > perFile, `${lost} files were lost`);
  });
}

type Contents = Map<string, string>;

async function inRepository<T>(
  directory: string,
  identities: readonly Identity[],
  act: (repository: ReadableRepository, snapshot: Snapshot) => Promise<T>,
): Promise<T> {
  const repository = await openRepository(directory, context, { identities });
  try {
    return await act(repository, await repository.find('latest'));
  } finally {
    await repository.close();
  }
}

/** How many files were lost, each of which must have been named. */
async function expectNamed(
  repository: ReadableRepository,
  snapshot: Snapshot,
  whole: Contents,
  what: string,
): Promise<number> {
  const losses = new Map();
  for (const summary of snapshot.sources) {
    const loss = await findLoss(repository, snapshot, summary, ['.'], context);
    if (loss) losses.set(summary.name, loss);
  }
  const left = await readAll(withoutLosses(repository, losses), snapshot);
  for (const [name, content] of left) assert.is(content, whole.get(name) ?? 'made up', `${what}: ${name}`);
  const absent = [...whole.keys()].filter((name) => !left.has(name));
  for (const name of absent) {
    const [source = '', path = ''] = name.split(':');
    const { files, ranges } = losses.get(source);
    const isNamed = files.has(path) || ranges.some((range: never) => isWithin(path, range));
    assert.ok(isNamed, `${what}: ${name} is gone, and was not named`);
  }
  return absent.length;
}

/** Every regular file, to its last byte; the directories are made up where they are lost. */
async function readAll(repository: ReadableRepository, snapshot: Snapshot): Promise<Contents> {
  const contents: Contents = new Map();
  for (const { name } of snapshot.sources) {
    for await (const entry of repository.entries(snapshot, name)) {
      if (entry.type !== 'file') continue;
      const pieces = await Array.fromAsync(repository.content(snapshot, entry));
      contents.set(`${name}:${entry.path}`, Buffer.concat(pieces).toString('hex'));
    }
  }
  return contents;
}

test.run();

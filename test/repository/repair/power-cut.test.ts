import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeIdentity, type Identity } from '../../../src/repository/age/keys.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { cutEverywhere } from '../../support/power-cut/cut-everywhere.ts';
import { quietContext } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { sealings } from '../sealings.ts';
import { makeSmallRepository, type SmallRepository } from '../torture/small-repository.ts';
import { opener } from './with-repository.ts';

const root = temporaryDirectory();
const child = join(import.meta.dirname, '..', '..', 'support', 'repair-child.ts');

for (const [name, keys] of sealings) {
  test(`${name}: whenever power is cut during a repair, another one mends everything; what it has mended stays so`, async () => {
    const home = mkdtempSync(join(root, 'case-'));
    const golden = await makeSmallRepository(home, keys);
    const disk = join(home, 'disk');
    mkdirSync(join(disk, 'state'), { recursive: true });
    cpSync(golden.directory, join(disk, 'repository'), { recursive: true });
    spoil(golden, join(disk, 'repository'));
    const whole = await snapshotsIn(golden.directory, keys);
    const argv = [
      child,
      join(disk, 'repository'),
      join(disk, 'state'),
      ...(keys.length > 0 ? [keys.map(encodeIdentity).join('\n')] : []),
    ];
    const states = await cutEverywhere(
      {
        disk,
        scratch: home,
        survivors: ['synced'],
        command: [process.execPath, ...argv],
      },
      async (copy, when) => {
        const directory = join(copy, 'repository');
        await withRepository({ keys, directory }, (repository) => repository.repair(quietContext(copy)));
        assert.equal(await snapshotsIn(directory, keys), whole, when);
      },
      async (copy) => assert.equal(await snapshotsIn(join(copy, 'repository'), keys), whole),
    );
    assert.ok(states > 10, `${states} states`);
  });
}

/** Takes away what a repair makes anew: an index of each snapshot, a manifest, and what names them. */
function spoil({ files, snapshots }: SmallRepository, directory: string): void {
  const lost = files.filter(
    ({ kind, neededBy }) => kind === 'index' || (kind === 'manifest' && neededBy[0] === snapshots[1]!.id),
  );
  assert.ok(lost.length >= 3);
  for (const { path } of lost) rmSync(join(directory, path));
  rmSync(join(directory, 'index.json'));
}

const withRepository = opener(quietContext(join(root, 'state')));

/** All of what is there, checked. */
function snapshotsIn(directory: string, keys: readonly Identity[]): Promise<[Snapshot, string[]][]> {
  return withRepository({ keys, directory }, async (repository) => {
    const { damage } = await repository.verify({ readData: true, remember: false }, quietContext(directory));
    assert.equal(damage, []);
    const read = async (snapshot: Snapshot) =>
      [snapshot, await contentOf(repository, snapshot)] as [Snapshot, string[]];
    return Promise.all((await repository.snapshots()).map(read));
  });
}

async function contentOf(repository: Repository, snapshot: Snapshot): Promise<string[]> {
  const all: string[] = [];
  for (const { name } of snapshot.sources)
    for await (const entry of repository.entries(snapshot, name)) {
      const content = Buffer.concat(await Array.fromAsync(repository.content(snapshot, entry)));
      all.push(`${name}:${entry.path} ${content.toString('hex')}`);
    }
  return all;
}

test.run();

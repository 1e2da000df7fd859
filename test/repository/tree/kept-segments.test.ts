import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Digest } from '../../../src/oci/digest.ts';
import { blobPath } from '../../../src/oci/layout.ts';
import { generateIdentity, type Identity } from '../../../src/repository/age/keys.ts';
import type { Entry } from '../../../src/repository/entry.ts';
import { openOrCreateRepository } from '../../../src/repository/open.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { setXattr } from '../../../src/support/posix/xattrs.ts';
import { quietContext, saveDirectories } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const home = temporaryDirectory();
const files = 2500;

/** Directories of 50 small files each: some three segments. */
function makeTree(): string {
  const root = join(mkdtempSync(join(home, 'tree-')), 'root');
  for (let i = 0; i < files; i++) {
    if (i % 50 === 0) mkdirSync(join(root, `d${i / 50}`), { recursive: true });
    writeFileSync(join(root, `d${Math.floor(i / 50)}`, `f${i}`), `${i}`);
  }
  return root;
}

interface Place {
  repository: Repository;
  save(): Promise<Snapshot>;
}

/** A repository, whose runs trust what changed before they began. */
async function place(root: string, identity?: Identity): Promise<Place> {
  const directory = mkdtempSync(join(home, 'repository-'));
  const context = quietContext(`${directory}-state`);
  const identities = identity === undefined ? [] : [identity];
  const repository = await openOrCreateRepository(directory, context, { identities });
  const save = async () => {
    await setTimeout(50);
    return saveDirectories(repository, { files: root }, context, identities);
  };
  return { repository, save };
}

function segmentsOf({ repository }: Place, { id }: Snapshot): Digest[] {
  const config = JSON.parse(readFileSync(blobPath(repository, id as Digest), 'utf8'));
  return config.sources[0].tree;
}

/** How many segments the second has that the first has not. */
function newSegments(place: Place, first: Snapshot, second: Snapshot): number {
  const old = new Set(segmentsOf(place, first));
  return segmentsOf(place, second).filter((digest) => !old.has(digest)).length;
}

async function entriesOf({ repository }: Place, snapshot: Snapshot): Promise<Entry[]> {
  return Array.fromAsync(repository.entries(snapshot, 'files'));
}

for (const identity of [undefined, generateIdentity()]) {
  const kind = identity === undefined ? 'plain' : 'encrypted';

  test(`nothing of an unchanged tree is written again: ${kind}`, async () => {
    const here = await place(makeTree(), identity);
    const first = await here.save();
    assert.ok(segmentsOf(here, first).length > 2);
    const second = await here.save();
    assert.equal(segmentsOf(here, second), segmentsOf(here, first));
    assert.equal(second.added, { bytes: 0, blobs: 0 });
    assert.is(second.sources[0]?.files, files);
    assert.is(second.sources[0]?.bytes, first.sources[0]?.bytes);
    await here.repository.close();
  });

  test(`one changed line makes one segment new: ${kind}`, async () => {
    const root = makeTree();
    const here = await place(root, identity);
    let before = await here.save();
    for (const name of ['d0/f0', 'd40/f2001', 'd9/f499']) {
      chmodSync(join(root, name), 0o751);
      const after = await here.save();
      assert.is(newSegments(here, before, after), 1, name);
      assert.is(after.sources[0]?.newBytes, 0);
      before = after;
    }
    await here.repository.close();
  });
}

/** What becomes of a tree from one run to the next. */
const changes: Record<string, (root: string) => void> = {
  'a file in the middle': (root) => writeFileSync(join(root, 'd40/f2001'), 'other'),
  'new files, before, between and after': (root) => {
    for (const name of ['aa', 'd40/f2001b', 'zz']) writeFileSync(join(root, name), name);
  },
  'a directory that went': (root) => rmSync(join(root, 'd41'), { recursive: true }),
  'a directory under another name': (root) => renameSync(join(root, 'd42'), join(root, 'd42x')),
  'a file in the place of another, with its times': (root) => {
    renameSync(join(root, 'd40/f2001'), join(root, 'd40/f2002'));
  },
  'further names of files': (root) => {
    linkSync(join(root, 'd40/f2003'), join(root, 'd40/f2003-too'));
    linkSync(join(root, 'd40/f2004'), join(root, 'a'));
  },
  'a first name that went': (root) => rmSync(join(root, 'd40/f2003')),
  'attributes, a hole, a link, odd names': (root) => {
    setXattr(join(root, 'd40'), 'user.note', Buffer.from('x'));
    setXattr(join(root, 'd40/f2010'), 'user.note', Buffer.from('x'));
    truncateSync(join(root, 'd40/f2011'), 5_000_000);
    symlinkSync('f3011', join(root, 'd40/link'));
    writeFileSync(Buffer.from(`${root}/d40/\xff"\\\n`, 'latin1'), 'odd');
    writeFileSync(join(root, 'd40/ü'), 'text');
  },
  'a growing file': (root) => appendFileSync(join(root, 'd40/f2011'), 'more'),
  nothing: () => {},
  'nearly all that went': (root) => {
    for (let d = 1; d < 49; d++) rmSync(join(root, `d${d}`), { recursive: true, force: true });
  },
};

test('whatever changes, the next run tells of the tree what a first run would', async () => {
  const root = makeTree();
  const here = await place(root);
  await here.save();
  for (const [what, change] of Object.entries(changes)) {
    change(root);
    const snapshot = await here.save();
    const fresh = await place(root);
    const want = await fresh.save();
    assert.equal(await entriesOf(here, snapshot), await entriesOf(fresh, want), what);
    const { files, bytes } = want.sources[0]!;
    assert.equal([snapshot.sources[0]?.files, snapshot.sources[0]?.bytes], [files, bytes], what);
    await fresh.repository.close();
  }
  const { damage } = await here.repository.verify({ readData: true }, quietContext(join(home, 'state')));
  assert.equal(damage, []);
  await here.repository.close();
});

test.run();

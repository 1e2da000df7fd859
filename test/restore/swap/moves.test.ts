import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyMoves, planCompanions, planMoves, revertMoves } from '../../../src/restore/swap/moves.ts';
import { createStaging, removeStaging } from '../../../src/restore/swap/staging.ts';
import { stagingName } from '../../../src/support/staging-name.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = temporaryDirectory();
const id = '0123abcd';
let count = 0;

/** A place with `both` and `gone` alive, and `both` and `fresh` staged. */
function makePlace(): { place: string; fresh: string; old: string } {
  const place = join(root, String(count++));
  mkdirSync(place);
  createStaging(place, id).close();
  const [fresh, old] = ['new', 'old'].map((name) => join(place, stagingName(id), name)) as [string, string];
  for (const name of ['both', 'gone', 'untouched']) writeFileSync(join(place, name), `old ${name}`);
  for (const name of ['both', 'fresh']) writeFileSync(join(fresh, name), `new ${name}`);
  return { place, fresh, old };
}

const visible = (place: string) =>
  Object.fromEntries(
    readdirSync(place)
      .filter((name) => !name.startsWith('.'))
      .map((name) => [name, readFileSync(join(place, name), 'utf8')]),
  );

const kept = new Set<string>();
const allBut = (place: string) => ({
  directory: place,
  children: 'all' as const,
  kept: new Set([join(place, 'untouched')]),
});
const before = { both: 'old both', gone: 'old gone', untouched: 'old untouched' };
const after = { both: 'new both', fresh: 'new fresh', untouched: 'old untouched' };

test('only the names asked for are exchanged, and of those only what was staged', () => {
  const { place } = makePlace();
  const moves = planMoves({ directory: place, children: new Set(['both', 'gone', 'fresh']) }, kept, id);
  assert.equal(moves, [
    { name: 'both', old: true, new: true },
    { name: 'fresh', old: false, new: true },
  ]);
});

test('from every state that a kill can leave, moves are finished and taken back', () => {
  // The renames one after the other, as a process would do them.
  const steps = [
    ['', 'old', 'both'],
    ['new', '', 'both'],
    ['', 'old', 'gone'],
    ['new', '', 'fresh'],
  ] as const;
  for (let done = 0; done <= steps.length; done++) {
    for (const [act, wanted] of [
      [applyMoves, after],
      [revertMoves, before],
    ] as const) {
      const { place, fresh, old } = makePlace();
      const { directory, children, kept: stays } = allBut(place);
      const moves = planMoves({ directory, children }, stays, id);
      assert.equal(
        moves.map(({ name }) => name),
        ['both', 'gone', 'fresh'],
      );
      const at = { '': place, new: fresh, old };
      for (const [from, to, name] of steps.slice(0, done))
        renameSync(join(at[from], name), join(at[to], name));
      for (let times = 0; times < 2; times++) {
        act(place, moves, id);
        assert.equal(visible(place), wanted, `${act.name} after ${done} renames`);
      }
    }
  }
});

test('what goes with a name goes when it goes, and what the new one made goes when it comes back', () => {
  // The renames one after the other, and what a server writes once it runs on what was restored.
  const steps = [
    ['', 'old', 'both'],
    ['new', '', 'both'],
    ['', 'old', 'gone'],
  ] as const;
  for (let done = 0; done <= steps.length; done++) {
    const { place, fresh, old } = makePlace();
    const companions = ['gone', 'later'].map((name) => ({ name, of: 'both' }));
    const moves = planMoves({ directory: place, children: new Set(['both']) }, kept, id);
    moves.push(...planCompanions(place, companions, id));
    const at = { '': place, new: fresh, old };
    for (const [from, to, name] of steps.slice(0, done)) renameSync(join(at[from], name), join(at[to], name));
    if (done % 2 === 1) {
      applyMoves(place, moves, id);
      assert.equal(visible(place), after);
      for (const name of ['gone', 'later']) writeFileSync(join(place, name), `new ${name}`);
    }
    for (let times = 0; times < 2; times++) {
      revertMoves(place, moves, id);
      assert.equal(visible(place), before, `after ${done} renames`);
    }
  }
});

test('staging is private whatever the umask, and goes with all that is in it', async () => {
  const { place } = makePlace();
  mkdirSync(join(place, stagingName(id), 'new', 'deep', 'er'), { recursive: true });
  writeFileSync(Buffer.from(`${join(place, stagingName(id), 'new', 'deep')}/\xff`, 'latin1'), '');
  await removeStaging(place, id);
  assert.equal(visible(place), before);
  await removeStaging(place, id);
  await removeStaging(join(place, 'nowhere'), id);
});

test.run();

/**
 * Our backup beside restic, borg and what the original did, on the same trees in one run:
 *
 *     npm run bench -- backup [--trees=host,small,log] [--rounds=3] [--only=dockerctl,restic] [--only-ours]
 *                             [--no-legacy] [--cold]
 *
 * The tree is read before each run, or with `--cold` nothing is in memory, as it is at night. The tools take turns round
 * by round, so that what the machine does besides hits all of them alike. Prints medians of whole processes: the first
 * run, a run with nothing changed, and of the log runs after it grew by one per cent; then our ratio to each of the
 * others beside what is asked.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { needProgram } from '../../test/support/debian-program.ts';
import { chill, measure, sizeOf, warm } from './backup-peers/measure.ts';
import { printRatios, printTable, type Row } from './backup-peers/results.ts';
import { borg, dockerctl, legacy, restic, type Tool, trixieRestic, versionOf } from './backup-peers/tools.ts';
import { growLog, type TreeName, trees } from './backup-peers/trees.ts';

const { values } = parseArgs({
  options: {
    trees: { type: 'string', default: 'host,small,log' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    'no-legacy': { type: 'boolean', default: false },
    'only-ours': { type: 'boolean', default: false },
    cold: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);

/** A tool, the directory it works in, and what was seen of it. */
interface Contestant {
  tool: Tool;
  home: string;
  row: Row;
}

for (const name of values.trees.split(',') as TreeName[]) {
  const rows = await benchTree(name, await tools());
  printTable(name, rounds, rows);
  printRatios(rows);
}

async function tools(): Promise<Tool[]> {
  const ours = [dockerctl(true), dockerctl(false)];
  if (values['only-ours']) return ours;
  for (const program of ['borg', 'lrzip', 'time'])
    needProgram(program, program === 'borg' ? 'borgbackup' : program);
  const program = await trixieRestic();
  const version = versionOf([...program, 'version'])
    .split(' ')
    .slice(0, 2)
    .join(' ');
  const all = [...ours, restic(program, version), borg, ...(values['no-legacy'] ? [] : [legacy])];
  const wanted = values.only === '' ? [] : values.only.split(',');
  return all.filter(
    ({ name }) => wanted.length === 0 || wanted.some((word) => name === word || name.startsWith(`${word} `)),
  );
}

async function benchTree(name: TreeName, all: readonly Tool[]): Promise<Row[]> {
  const tree = trees[name]();
  const root = mkdtempSync(join(tmpdir(), 'dockerctl-bench-'));
  try {
    const contestants = all.map((tool, i) => ({ tool, home: join(root, String(i)), row: emptyRow(tool) }));
    for (let round = 0; round < rounds; round++)
      for (const one of contestants) if (round === 0 || one.tool !== legacy) await runFirst(one, tree);
    const repeating = contestants.filter(({ tool }) => tool !== legacy);
    for (let round = 0; round < rounds + 2; round++) for (const one of repeating) runUnchanged(one, tree);
    if (name === 'log') runGrown(repeating, tree);
    return contestants.map(({ row }) => row);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Into a fresh repository; that of the last round is backed up to again. */
async function runFirst({ tool, home, row }: Contestant, tree: string): Promise<void> {
  rmSync(home, { recursive: true, force: true });
  await tool.prepare(home);
  row.first.push(once(tool, home, tree));
  row.bytes.push(sizeOf(tool.repository(home)));
}

function runUnchanged({ tool, home, row }: Contestant, tree: string): void {
  const before = sizeOf(tool.repository(home));
  row.unchanged.push(once(tool, home, tree));
  row.unchangedBytes.push(sizeOf(tool.repository(home)) - before);
}

/** Where the end of the log falls in a chunk is luck, so it grows several times. */
function runGrown(contestants: readonly Contestant[], tree: string): void {
  try {
    for (let round = 0; round < rounds + 2; round++) {
      growLog(tree, round);
      for (const { tool, home, row } of contestants) {
        const before = sizeOf(tool.repository(home));
        row.grown.push(once(tool, home, tree));
        row.grownBytes.push(sizeOf(tool.repository(home)) - before);
      }
    }
  } finally {
    trees.log();
  }
}

function once(tool: Tool, home: string, tree: string) {
  if (values.cold) chill();
  else warm(tree);
  return measure(tool.command(home, tree), tool.environment?.(home));
}

function emptyRow({ name }: Tool): Row {
  return { tool: name, first: [], unchanged: [], grown: [], bytes: [], unchangedBytes: [], grownBytes: [] };
}

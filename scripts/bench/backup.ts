/**
 * Our backup beside restic, borg and what the original did, on the same trees in one run:
 *
 *     npm run bench -- backup [--trees=host,small,log] [--rounds=3] [--no-legacy]
 *
 * Prints medians of whole processes: the first run, a run with nothing changed, and of the log a run after it grew by one per cent.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { needProgram } from '../../test/support/debian-program.ts';
import { type Measured, measure, median, sizeOf } from './backup-peers/measure.ts';
import { borg, dockerctl, legacy, restic, type Tool, trixieRestic, versionOf } from './backup-peers/tools.ts';
import { growLog, type TreeName, trees } from './backup-peers/trees.ts';

const { values } = parseArgs({
  options: {
    trees: { type: 'string', default: 'host,small,log' },
    rounds: { type: 'string', default: '3' },
    'no-legacy': { type: 'boolean', default: false },
    'only-ours': { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);

interface Row {
  tool: string;
  first: Measured[];
  unchanged: Measured[];
  /** Bytes of the repository after the first run, and what the runs after it added. */
  bytes: number;
  unchangedBytes: number;
  grown: { seconds: number; bytes: number } | undefined;
}

for (const name of values.trees.split(',') as TreeName[]) {
  const tree = trees[name]();
  const rows: Row[] = [];
  for (const tool of await tools()) rows.push(await benchTool(tool, name, tree));
  print(name, rows);
}

async function tools(): Promise<Tool[]> {
  if (values['only-ours']) return [dockerctl(true), dockerctl(false)];
  for (const program of ['borg', 'lrzip', 'time'])
    needProgram(program, program === 'borg' ? 'borgbackup' : program);
  const program = await trixieRestic();
  const peers = [
    restic(
      program,
      versionOf([...program, 'version'])
        .split(' ')
        .slice(0, 2)
        .join(' '),
    ),
    borg,
  ];
  return [dockerctl(true), dockerctl(false), ...peers, ...(values['no-legacy'] ? [] : [legacy])];
}

/** Fresh repositories for the first runs; the last of them is backed up to again. */
async function benchTool(tool: Tool, name: TreeName, tree: string): Promise<Row> {
  const row: Row = {
    tool: tool.name,
    first: [],
    unchanged: [],
    bytes: 0,
    unchangedBytes: 0,
    grown: undefined,
  };
  const root = mkdtempSync(join(tmpdir(), 'dockerctl-bench-'));
  try {
    let home = '';
    const once = () => measure(tool.command(home, tree), tool.environment?.(home));
    for (let round = 0; round < (tool === legacy ? 1 : rounds); round++) {
      if (home !== '') rmSync(home, { recursive: true });
      home = join(root, String(round));
      await tool.prepare(home);
      row.first.push(once());
    }
    row.bytes = sizeOf(tool.repository(home));
    if (tool === legacy) return row;
    for (let round = 0; round < rounds + 2; round++) row.unchanged.push(once());
    row.unchangedBytes = (sizeOf(tool.repository(home)) - row.bytes) / row.unchanged.length;
    if (name === 'log') row.grown = growAndMeasure(tool, home, tree, once);
    return row;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function growAndMeasure(tool: Tool, home: string, tree: string, once: () => Measured): Row['grown'] {
  const before = sizeOf(tool.repository(home));
  growLog(tree);
  try {
    const { seconds } = once();
    return { seconds, bytes: sizeOf(tool.repository(home)) - before };
  } finally {
    trees.log();
  }
}

function print(name: string, rows: readonly Row[]): void {
  console.log(`\n${name}: medians of ${rounds} rounds`);
  console.log(
    'tool                  first (CPU)       unchanged (CPU)        peak     repository  added unchanged            log + 1 %',
  );
  for (const { tool, first, unchanged, bytes, unchangedBytes, grown } of rows) {
    const peak = Math.max(...[...first, ...unchanged].map(({ peakMebibytes }) => peakMebibytes));
    const cells = [
      tool.padEnd(18),
      seconds(first).padStart(17),
      seconds(unchanged).padStart(17),
      `${peak.toFixed(0)} MiB`.padStart(10),
      `${(bytes / 1e6).toFixed(1)} MB`.padStart(13),
      (unchanged.length === 0 ? '' : `${(unchangedBytes / 1e3).toFixed(1)} kB`).padStart(14),
      grown === undefined
        ? ''
        : `${grown.seconds.toFixed(2)} s, ${(grown.bytes / 1e6).toFixed(2)} MB`.padStart(20),
    ];
    console.log(cells.join('  '));
  }
}

function seconds(runs: readonly Measured[]): string {
  if (runs.length === 0) return '';
  const whole = median(runs.map((run) => run.seconds));
  const cpu = median(runs.map((run) => run.cpuSeconds));
  return `${whole.toFixed(2)} (${cpu.toFixed(2)}) s`;
}

import { type Measured, median } from './measure.ts';

/** What was seen of one tool on one tree, a figure per round. */
export interface Row {
  tool: string;
  first: Measured[];
  unchanged: Measured[];
  grown: Measured[];
  /** Of the repository after a first run, and what each run after it added. */
  bytes: number[];
  unchangedBytes: number[];
  grownBytes: number[];
}

export function printTable(tree: string, rounds: number, rows: readonly Row[]): void {
  console.log(`\n${tree}: medians of ${rounds} rounds, CPU in brackets`);
  const head = ['first', 'peak', 'repository', 'unchanged', 'peak', 'added', 'log + 1 %', 'added'];
  console.log(cells('tool', head));
  for (const { tool, first, unchanged, grown, bytes, unchangedBytes, grownBytes } of rows) {
    const repeated = [seconds(unchanged), peak(unchanged), kilobytes(unchangedBytes)];
    console.log(
      cells(tool, [
        seconds(first),
        peak(first),
        `${(median(bytes) / 1e6).toFixed(1)} MB`,
        ...(unchanged.length === 0 ? [] : repeated),
        ...(grown.length === 0 ? [] : [seconds(grown), kilobytes(grownBytes)]),
      ]),
    );
  }
}

function cells(first: string, rest: readonly string[]): string {
  return first.padEnd(18) + rest.map((cell) => cell.padStart(17)).join('');
}

function seconds(runs: readonly Measured[]): string {
  return `${wall(runs).toFixed(2)} (${median(runs.map((run) => run.cpuSeconds)).toFixed(2)}) s`;
}

function peak(runs: readonly Measured[]): string {
  return `${memory(runs).toFixed(0)} MiB`;
}

function kilobytes(bytes: readonly number[]): string {
  return `${(median(bytes) / 1e3).toFixed(1)} kB`;
}

/** Our figures divided by each peer's, beside what is asked; of repositories the smaller peer's counts. */
export function printRatios(rows: readonly Row[]): void {
  const [ours, restic, borg, legacy] = ['dockerctl', 'restic', 'borg', 'tar'].map((name) =>
    rows.find(({ tool }) => tool === name || tool.startsWith(`${name} `)),
  );
  if (ours === undefined) return;
  for (const peer of [restic, borg]) {
    if (peer === undefined) continue;
    const name = peer.tool.split(' ')[0];
    printRatio(`first run / ${name}`, wall(ours.first) / wall(peer.first), 0.65);
    printRatio(`unchanged / ${name}`, wall(ours.unchanged) / wall(peer.unchanged), 0.45);
  }
  if (legacy !== undefined) printRatio('first run / legacy', wall(ours.first) / wall(legacy.first), 0.15);
  const smaller = Math.min(
    ...[restic, borg].map((peer) => median(peer?.bytes ?? [])).filter(Number.isFinite),
  );
  if (Number.isFinite(smaller)) printRatio('repository / smaller', median(ours.bytes) / smaller, 1.05);
  if (restic === undefined) return;
  if (ours.grown.length > 0)
    printRatio('log + 1 % bytes / restic', median(ours.grownBytes) / median(restic.grownBytes), 1.2);
  printRatio('first run peak / restic', memory(ours.first) / memory(restic.first), 1);
  printRatio('unchanged peak / restic', memory(ours.unchanged) / memory(restic.unchanged), 1);
}

function printRatio(what: string, ratio: number, asked: number): void {
  const verdict = ratio <= asked ? 'met' : 'missed';
  console.log(`${what.padEnd(26)} ${ratio.toFixed(3)}  asked ${asked}  ${verdict}`);
}

function wall(runs: readonly Measured[]): number {
  return median(runs.map((run) => run.seconds));
}

function memory(runs: readonly Measured[]): number {
  return median(runs.map((run) => run.peakMebibytes));
}

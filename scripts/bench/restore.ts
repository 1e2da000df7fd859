/**
 * Reading backups back, beside restic, on the same trees in one run, both sides encrypted:
 *
 *     npm run bench -- restore [--trees=host,small] [--rounds=3]
 *
 * Prints medians of whole processes for a restore to a fresh directory, a check of what is there and a check of every
 * piece of content, then our ratio to restic's. The tools take turns; what they read is in memory before.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { needProgram } from '../../test/support/debian-program.ts';
import { type Measured, measure, median, warm } from './backup-peers/measure.ts';
import { dockerctl, restic, type Tool, trixieRestic } from './backup-peers/tools.ts';
import { type TreeName, trees } from './backup-peers/trees.ts';

const { values } = parseArgs({
  options: {
    trees: { type: 'string', default: 'host,small' },
    rounds: { type: 'string', default: '3' },
  },
});

type Seen = Record<'restore' | 'verify' | 'verify --read-data', Measured[]>;

needProgram('time');
const tools = [dockerctl(true), restic(await trixieRestic(), 'restic')] as const;
for (const tree of values.trees.split(',') as TreeName[]) {
  const [ours, theirs] = await benchTree(tree);
  console.log(`\n${tree}: medians of ${values.rounds} rounds, dockerctl and restic`);
  for (const what of Object.keys(ours!) as (keyof Seen)[]) show(what, ours![what], theirs![what]);
}

async function benchTree(name: TreeName): Promise<Seen[]> {
  const tree = trees[name]();
  const root = mkdtempSync(join(tmpdir(), 'dockerctl-bench-'));
  try {
    const seen = tools.map((): Seen => ({ restore: [], verify: [], 'verify --read-data': [] }));
    for (const [i, tool] of tools.entries()) {
      await tool.prepare(join(root, String(i)));
      measure(tool.command(join(root, String(i)), tree), tool.environment?.(join(root, String(i))));
    }
    for (let round = 0; round < Number(values.rounds); round++)
      for (const [i, tool] of tools.entries()) readBack(tool, join(root, String(i)), round, seen[i]!);
    return seen;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** What was restored stays till the end: ext4 is slow at making files just after others were removed. */
function readBack(tool: Tool, home: string, round: number, seen: Seen): void {
  const to = join(home, `restored-${round}`);
  const run = (command: string[]): Measured => {
    warm(tool.repository(home));
    return measure(command, tool.environment?.(home));
  };
  seen.restore.push(run(tool.restore!(home, to)));
  seen.verify.push(run(tool.verify!(home, false)));
  seen['verify --read-data'].push(run(tool.verify!(home, true)));
}

function show(what: string, ours: readonly Measured[], theirs: readonly Measured[]): void {
  const columns = (['seconds', 'cpuSeconds', 'peakMebibytes'] as const).map((figure) => {
    const [our, their] = [ours, theirs].map((runs) => median(runs.map((run) => run[figure])));
    const unit = figure === 'seconds' ? 's' : figure === 'cpuSeconds' ? 's CPU' : 'MiB';
    return `${our!.toFixed(2)} / ${their!.toFixed(2)} ${unit} = ${(our! / their!).toFixed(2)}`.padStart(32);
  });
  console.log(what.padEnd(20) + columns.join(''));
}

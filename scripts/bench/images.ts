/**
 * Loading, inspecting and saving a 750 MB image, beside Docker's own commands and skopeo, in one run on one engine:
 * medians of whole processes, and what they are to each other.
 *
 *     npm run build && npm run bench -- images [ROUNDS [PART OF A TITLE]]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needProgram } from '../../test/support/debian-program.ts';
import { bigImage } from '../fixtures/big-image.ts';
import { loadBenches } from './images/load.ts';
import { type Bench, type Ground, median, peakOf, type Run, timed, verdict } from './images/measure.ts';
import { deltaShare, saveBenches } from './images/save.ts';

const rounds = Number(process.argv[2] ?? 3);
const wanted = process.argv[3] ?? '';
needProgram('skopeo');
const address = execFileSync('scripts/engine', ['start', '--name', 'bench'], { encoding: 'utf8' }).trim();
const work = mkdtempSync(join(tmpdir(), 'dockerctl-bench-'));
try {
  const docker = ['docker', '-H', address];
  const ground: Ground = { docker, address, work, image: bigImage(docker) };
  const benches = [...loadBenches(ground), ...saveBenches(ground)];
  for (const bench of benches) if (bench.title.includes(wanted)) report(bench);
  if ('delta'.includes(wanted)) reportDelta(deltaShare(ground));
} finally {
  execFileSync('scripts/engine', ['stop', '--name', 'bench']);
  rmSync(work, { recursive: true });
}

/** Rounds go in turn, so that what else the machine does falls on both. */
function report({
  title,
  ours,
  theirs,
  bound,
  seconds: limit,
  prepare,
  ourRounds = rounds,
  theirRounds = rounds,
}: Bench): void {
  const measured: Record<'ours' | 'theirs', Run[]> = { ours: [], theirs: [] };
  for (let round = 0; round < ourRounds; round++) {
    for (const who of ['theirs', 'ours'] as const) {
      if (who === 'theirs' && round >= theirRounds) continue;
      prepare?.(who);
      measured[who].push(timed(who === 'ours' ? ours : theirs));
    }
  }
  const [our, their] = [median(measured.ours), median(measured.theirs)];
  const ratio = our.seconds / their.seconds;
  const figures = [
    `${our.seconds.toFixed(2)} s / ${their.seconds.toFixed(2)} s = ${ratio.toFixed(3)} (at most ${bound}: ${verdict(ratio <= bound)})`,
    ...(limit === undefined ? [] : [`under ${limit} s: ${verdict(our.seconds < limit)}`]),
    peakOf(measured.ours),
  ];
  console.log(`${title}: ${figures.join(', ')}`);
}

function reportDelta({ delta, full, runs }: ReturnType<typeof deltaShare>): void {
  const percent = (100 * delta) / full;
  console.log(
    `delta of one file: ${delta} of ${full} bytes = ${percent.toFixed(4)} % (under 1 %: ${verdict(percent < 1)}), ${peakOf(runs)}`,
  );
}

/**
 * Reads randomly mutated image archives, bundles, volumes of split sets and remembered indexes:
 * `sh scripts/node scripts/fuzz-archives.ts [CASES] [SEED]`. Ends with 1 at the first that crashes, hangs, or makes a
 * file where none should be; the same seed gives the same cases.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fuzz } from '../test/archive/fixtures/fuzz.ts';
import { fuzzSubjects } from '../test/archive/fixtures/fuzz-subjects.ts';

const cases = Number(process.argv[2] ?? 20_000);
const seed = Number(process.argv[3] ?? 20_260_101);
const directory = mkdtempSync(join(tmpdir(), 'dockerctl-fuzz-'));
const outside = () => readdirSync('/').concat(readdirSync('.'), readdirSync(directory)).sort().join('\n');

try {
  const subjects = await fuzzSubjects(directory);
  const before = outside();
  const start = performance.now();
  const { refused, accepted } = await fuzz(subjects, { seed, cases });
  if (outside() !== before) throw new Error('a file was written outside');
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(
    `${cases} cases in ${seconds} s, seed ${seed}: ${refused} refused, ${accepted} accepted, 0 crashes, 0 hangs`,
  );
} finally {
  rmSync(directory, { recursive: true });
}

/**
 * Runs the test files named, or all of `test/`, each in a process of its own, and ends with a line
 * `N passed, N failed`. A file that reports no test has forgotten `.run()` and counts as failed. The private engine
 * that tests start when they need it is stopped at the end, unless it ran before.
 */
import { spawn, spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Milliseconds: a machine may be several times as slow as ours. */
const timeoutPerFile = Number(process.env.DOCKERCTL_TEST_MINUTES ?? 20) * 60_000;

/** In which a file that is asked to end ends what it started: its engines, and its directories. */
const grace = 60_000;

/** A signal alone would end it without a word to what it says is to be done at its exit. */
const exitWhenAsked = 'data:text/javascript,process.once("SIGTERM",()=>process.exit(143))';

async function main(): Promise<void> {
  process.umask(0o022); // Deployment files that a group may write are refused, whoever the tests are run by.
  const files = process.argv.length > 2 ? process.argv.slice(2) : globSync('test/**/*.test.ts').sort();
  const engineWasRunning = engine('status');
  const results: FileResult[] = [];
  const queue = [...files];
  const workers = Array.from({ length: availableParallelism() }, async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const result = await runFile(file);
      results.push(result);
      report(result);
    }
  });
  await Promise.all(workers);
  if (!engineWasRunning) engine('stop');
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  for (const result of results) if (result.failed > 0) console.log(`failed: ${result.file}`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

function engine(command: 'status' | 'stop'): boolean {
  return spawnSync('scripts/engine', [command], { stdio: 'ignore' }).status === 0;
}

interface FileResult {
  file: string;
  passed: number;
  failed: number;
  seconds: number;
  output: string;
}

async function runFile(file: string): Promise<FileResult> {
  const start = performance.now();
  // Whatever a test forgets to say, it must not write into this host's own state.
  const stateDir = mkdtempSync(join(tmpdir(), 'dockerctl-test-state-'));
  const child = spawn(process.execPath, ['--import', exitWhenAsked, file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutPerFile,
    env: { ...process.env, DOCKERCTL_STATE_DIR: stateDir },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const late = setTimeout(() => child.kill('SIGKILL'), timeoutPerFile + grace);
  const status = await new Promise<string>((resolve) => {
    child.on('close', (code, signal) => resolve(signal ?? String(code)));
  });
  clearTimeout(late);
  rmSync(stateDir, { recursive: true, force: true, maxRetries: 10 });
  const seconds = (performance.now() - start) / 1000;
  return { file, seconds, output, ...countTests(output, status) };
}

/** Reads the closing lines uvu prints; what they do not explain counts as one failure. */
function countTests(output: string, status: string): { passed: number; failed: number } {
  const total = Number(/^ {2}Total: +(\d+)/m.exec(output)?.[1] ?? 0);
  const passed = Number(/^ {2}Passed: +(\d+)/m.exec(output)?.[1] ?? 0);
  const skipped = Number(/^ {2}Skipped: +(\d+)/m.exec(output)?.[1] ?? 0);
  const failed = total - passed - skipped;
  if (total === 0 || (status !== '0' && failed === 0)) return { passed, failed: 1 };
  return { passed, failed };
}

function report(result: FileResult): void {
  const summary = `${result.file}: ${result.passed} passed, ${result.failed} failed (${result.seconds.toFixed(1)} s)`;
  console.log(result.failed === 0 ? summary : `${summary}\n${result.output}`);
}

await main();

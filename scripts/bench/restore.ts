/**
 * Backs DIR up into a fresh repository and restores it with `--to`, several times, each in a process of its own, beside
 * restic where it is installed: `npm run bench -- restore DIR [TIMES]`. Prints every run and the median.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const directory = resolve(process.argv[2] ?? '.');
const times = Number(process.argv[3] ?? 3);
const root = mkdtempSync(join(tmpdir(), 'dockerctl-bench-'));
const cli = [join(import.meta.dirname, '../../src/cli/bin.ts')];

try {
  const file = join(root, 'dockerctl.yaml');
  const sources = `{files: {title: Files, paths: [${JSON.stringify(directory)}]}}`;
  const backup = `{repository: ${root}/repository, sources: ${sources}}`;
  writeFileSync(file, `name: bench\nservices: {}\nx-dockerctl: {backup: ${backup}}\n`, { mode: 0o600 });
  const ours = ['--state-dir', join(root, 'state'), '-f', file, '--no-progress', '-y'];
  run(process.execPath, [...cli, ...ours, 'backup']);
  const repository = ['--repository', join(root, 'repository')];
  measure('dockerctl restore', (to) =>
    run(process.execPath, [...cli, ...ours, 'restore', 'latest', '--to', to, ...repository]),
  );
  if (spawnSync('restic', ['version']).status === 0) {
    process.env.RESTIC_REPOSITORY = join(root, 'restic');
    process.env.RESTIC_PASSWORD = 'bench';
    run('restic', ['init', '-q']);
    run('restic', ['backup', '-q', directory]);
    measure('restic restore', (to) => run('restic', ['restore', '-q', 'latest', '--target', to]));
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}

function measure(title: string, restore: (to: string) => void): void {
  const seconds = Array.from({ length: times }, () => {
    const to = join(root, 'restored');
    const begin = performance.now();
    restore(to);
    const taken = (performance.now() - begin) / 1000;
    rmSync(to, { recursive: true });
    return taken;
  });
  const median = seconds.toSorted((a, b) => a - b)[Math.floor(times / 2)]!;
  console.log(`${title}: ${seconds.map((one) => one.toFixed(2)).join(' ')} s, median ${median.toFixed(2)} s`);
}

function run(program: string, args: readonly string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

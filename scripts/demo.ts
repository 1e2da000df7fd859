/**
 * The three jobs of dockerctl, end to end, on this machine and with the real command: an upgrade tarball comes in, a
 * backup is taken while customers keep asking, everything is lost, everything comes back, and every row and byte is
 * compared. Ends with 0 only if nothing is missing and no customer noticed.
 *
 * It runs in a network namespace of its own: no port of the machine is taken, no firewall rule touched, and there is
 * no Internet, as on the sites that dockerctl is for. All that it makes is in one directory and one private engine,
 * and both are gone in the end.
 */
import { spawn, spawnSync } from 'node:child_process';
import { busyboxPath } from './fixtures/busybox.ts';
import { fixtureArchive, fixtureNames } from './fixtures/image.ts';

async function main(): Promise<number> {
  if (process.getuid?.() !== 0) {
    console.error('The demo starts a container engine of its own: run it as root.');
    return 1;
  }
  process.chdir(`${import.meta.dirname}/..`);
  await prepare();
  return inOwnNetwork([process.execPath, 'scripts/demo/main.ts']);
}

/** Whatever needs the Internet: Debian's packages, on this machine and inside of the images, once per machine. */
async function prepare(): Promise<void> {
  console.log(
    'Preparing: the command, and images of PostgreSQL and nginx (a minute or two on a new machine)',
  );
  run(process.execPath, 'scripts/build.ts');
  run('scripts/engine', 'install');
  await busyboxPath();
  const wasRunning = spawnSync('scripts/engine', ['status'], { stdio: 'ignore' }).status === 0;
  for (const name of fixtureNames) await fixtureArchive(name);
  if (!wasRunning) run('scripts/engine', 'stop');
}

function run(program: string, ...args: string[]): void {
  const { status } = spawnSync(program, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed`);
}

/** Resolves with the exit status; a signal is passed on, for the demo tidies up before it ends. */
function inOwnNetwork(command: readonly string[]): Promise<number> {
  const child = spawn('unshare', ['--net', '--', ...command], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

process.exitCode = await main();

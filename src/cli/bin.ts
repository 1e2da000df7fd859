import { availableParallelism } from 'node:os';
import { releaseMemory } from '../support/posix/release-memory.ts';

// Meant for this process alone (see bin/dockerctl), not for the programs it starts.
delete process.env.NODE_COMPILE_CACHE;
delete process.env.MALLOC_ARENA_MAX;
// Codecs run on the thread pool: a thread for every core, where node's own four would leave some idle.
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism()));

// What works long begins with this: the rest of the program would need its memory on top.
if (process.argv.includes('backup')) releaseMemory();

run().then((status) => {
  process.exitCode = status;
  // Whatever a command left open (a pooled connection to the engine) must not keep the shell waiting.
  process.stderr.write('', () => process.exit());
});

async function run(): Promise<number> {
  const [{ main }, { standardOutput }] = await Promise.all([import('./main.ts'), import('./output.ts')]);
  const stdout = standardOutput(process.stdout);
  const status = await main({
    argv: process.argv.slice(2),
    environment: process.env,
    workingDirectory: process.cwd(),
    stdin: process.stdin,
    stdout,
    stderr: process.stderr,
    giveWay: () => import('../support/posix/give-way.ts').then(({ giveWay }) => giveWay()),
  });
  await new Promise((resolve) => stdout.write('', resolve));
  return status;
}

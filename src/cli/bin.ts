import { access } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { releaseMemory } from '../support/posix/release-memory.ts';

// Set for this process alone (see bin/dockerctl): the programs that it starts get what the user said.
for (const name of ['NODE_COMPILE_CACHE', 'MALLOC_ARENA_MAX', 'OPENSSL_ia32cap']) {
  const said = process.env[`DOCKERCTL_WAS_${name}`];
  delete process.env[`DOCKERCTL_WAS_${name}`];
  if (said === undefined) delete process.env[name];
  else process.env[name] = said;
}
const ignoresHangup = process.env.DOCKERCTL_IGNORES_HANGUP !== undefined;
delete process.env.DOCKERCTL_IGNORES_HANGUP;
// Codecs run on the thread pool: a thread for every core, where node's own four would leave some idle.
// It is made with its first work: once that is given nobody needs the variable any more.
if (process.env.UV_THREADPOOL_SIZE === undefined) {
  process.env.UV_THREADPOOL_SIZE = String(Math.max(4, availableParallelism()));
  access('/', () => {});
  delete process.env.UV_THREADPOOL_SIZE;
}

// The room for young objects that bin/dockerctl gives is this thread's, which has it by now. Left set, it would overrule
// what other threads are started with.
setFlagsFromString('--max-semi-space-size=0');

// What works long begins with this: the rest of the program would need its memory on top.
if (process.argv.includes('backup')) releaseMemory();

run().then((status) => {
  process.exitCode = status;
  // Whatever a command left open (a pooled connection to the engine) must not keep the shell waiting.
  process.stderr.write('', () => process.exit());
});

async function run(): Promise<number> {
  const [{ main }, { standardOutput }] = await Promise.all([import('./main.ts'), import('./output.ts')]);
  return main({
    argv: process.argv.slice(2),
    environment: process.env,
    workingDirectory: workingDirectory(),
    stdin: process.stdin,
    stdout: standardOutput(process.stdout),
    stderr: process.stderr,
    ignoresHangup,
    giveWay: () => import('../support/posix/give-way.ts').then(({ giveWay }) => giveWay()),
  });
}

function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return '';
  }
}

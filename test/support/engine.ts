import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { connectEngine } from '../../src/engine/connect.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { uniqueName } from './images.ts';

const run = promisify(execFile);

export interface TestEngine {
  /** Of its unix socket. */
  socket: string;
  engine: Engine;
}

/** The private engine that all tests share, started if need be. Name what you make uniquely, and remove it. */
export async function testEngine(): Promise<TestEngine> {
  return startEngine('default');
}

export interface EngineOptions {
  /** On a small file system it shows what a full disk does. */
  dataRoot?: string;
  /** `containerd` is a newer Docker, on the containerd image store. */
  store?: 'classic' | 'containerd';
}

/** An engine to throw away, without networks. No other run of the same test has the same one. */
export async function throwawayEngine(
  purpose: string,
  options: EngineOptions = {},
): Promise<TestEngine & { stop(): Promise<void> }> {
  const name = uniqueName(purpose);
  const stop = ['stop', '--name', name];
  const stopAtExit = () => spawnSync('scripts/engine', stop, { stdio: 'ignore' });
  // Where it did not start, or a test file failed before its end. Its data may lie in a directory that goes then, too.
  process.prependOnceListener('exit', stopAtExit);
  const engine = await startEngine(name, options);
  return {
    ...engine,
    async stop() {
      await run('scripts/engine', stop);
      process.off('exit', stopAtExit);
    },
  };
}

async function startEngine(name: string, { dataRoot, store }: EngineOptions = {}): Promise<TestEngine> {
  const where = dataRoot === undefined ? [] : ['--data-root', dataRoot];
  const which = store === undefined ? [] : ['--store', store];
  const { stdout } = await run('scripts/engine', ['start', '--name', name, ...where, ...which]);
  const address = stdout.trim();
  return { socket: address.replace('unix://', ''), engine: connectEngine({ host: address }) };
}

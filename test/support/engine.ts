import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { connectEngine } from '../../src/engine/connect.ts';
import type { Engine } from '../../src/engine/engine.ts';

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

/** An engine to throw away, without networks; `dataRoot` on a small file system shows what a full disk does. */
export async function throwawayEngine(
  name: string,
  options: { dataRoot?: string } = {},
): Promise<TestEngine & { stop(): Promise<void> }> {
  const engine = await startEngine(name, options);
  return {
    ...engine,
    async stop() {
      await run('scripts/engine', ['stop', '--name', name]);
    },
  };
}

async function startEngine(name: string, { dataRoot }: { dataRoot?: string } = {}): Promise<TestEngine> {
  const where = dataRoot === undefined ? [] : ['--data-root', dataRoot];
  const { stdout } = await run('scripts/engine', ['start', '--name', name, ...where]);
  const address = stdout.trim();
  return { socket: address.replace('unix://', ''), engine: connectEngine({ host: address }) };
}

/** The demo itself, already in a network namespace of its own: sets the stage, plays, and clears it all away. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { connectEngine } from '../../src/engine/connect.ts';
import { busyboxPath } from '../fixtures/busybox.ts';
import { play } from './play.ts';
import { openTerminal } from './terminal.ts';

const engineName = `demo-${process.pid}`;

async function main(): Promise<void> {
  execFileSync(await busyboxPath(), ['ip', 'link', 'set', 'lo', 'up']);
  const directory = mkdtempSync('/var/tmp/dockerctl-demo-');
  try {
    const address = engine('start', '--bridge');
    const environment = {
      DOCKER_HOST: address,
      DOCKERCTL_STATE_DIR: join(directory, 'host/var/lib/dockerctl'),
      PATH: `${resolve('bin')}:${process.env.PATH}`,
    };
    const terminal = openTerminal(directory, environment);
    await Promise.race([play(directory, terminal, connectEngine({ host: address })), interruption()]);
  } finally {
    clearAway(directory);
  }
}

function clearAway(directory: string): void {
  try {
    engine('stop');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function engine(command: 'start' | 'stop', ...options: string[]): string {
  const output = execFileSync('scripts/engine', [command, '--name', engineName, ...options], {
    encoding: 'utf8',
  });
  return output.trim();
}

function interruption(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM']) {
      process.on(signal, () => reject(new Error(`interrupted by ${signal}`)));
    }
  });
}

try {
  await main();
} catch (error) {
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}

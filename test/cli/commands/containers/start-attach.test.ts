import type { ChildProcess } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createTestHost } from '../../../lifecycle/host.ts';
import { startCli } from '../../../support/cli-process.ts';
import { deploymentFile } from '../../../support/deployment.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const here = await createTestHost();
const stateDir = temporaryDirectory();
const file = deploymentFile(`name: ${here.name}
services:
  app: {image: "${here.image}", network_mode: none, init: true, restart: always, command: [sh, -c, "echo up; sleep 1000"]}
`);
test.after(() => here.cleanUp());

/** The program as a supervisor runs it: a process of its own, without a terminal. */
function dockerctl(...argv: string[]): ChildProcess & { ended: Promise<number | null> } {
  const global = ['--host', here.engine.address, '--file', file, '--state-dir', stateDir];
  const child = startCli([...global, ...argv], {}, ['ignore', 'pipe', 'inherit']);
  return Object.assign(child, { ended: new Promise<number | null>((resolve) => child.on('exit', resolve)) });
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} to start --attach stops the container, which stays stopped, and exits 0`, async () => {
    const attached = dockerctl('start', 'app', '--attach');
    const first = await new Promise((resolve) => attached.stdout?.once('data', resolve));
    assert.is(String(first), 'up\n');
    attached.kill(signal);
    assert.is(await attached.ended, 0);
    const container = await here.engine.containers.inspect(`${here.name}-app`);
    assert.is(container?.state, 'exited');
  });
}

test('a container that dies ends start --attach with its status', async () => {
  const attached = dockerctl('start', 'app', '--attach');
  await new Promise((resolve) => attached.stdout?.once('data', resolve));
  await here.engine.containers.kill(`${here.name}-app`);
  assert.is(await attached.ended, 137);
});

test.run();

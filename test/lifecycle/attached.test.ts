import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { OutputStreams } from '../../src/engine/engine.ts';
import { startAttached } from '../../src/lifecycle/attached.ts';
import { prepareRun } from '../../src/lifecycle/run-once.ts';
import { startServices } from '../../src/lifecycle/services.ts';
import { openShell } from '../../src/lifecycle/shell.ts';
import { ContainerStateError, InterruptedError, NotFoundError } from '../../src/support/errors.ts';
import { errorOf } from '../support/deployment.ts';
import { createTestHost } from './host.ts';

const here = await createTestHost();
test.after(() => here.cleanUp());

function collector() {
  const said = { stdout: '', stderr: '' };
  const pass = async ({ stdout, stderr }: OutputStreams) => {
    [said.stdout, said.stderr] = await Promise.all([text(stdout), text(stderr)]);
  };
  return { said, pass };
}

test("attached, a service's output is seen from its first byte, and its status comes back", async () => {
  const host = await here.host(
    '  once: {image: IMAGE, network_mode: none, command: [sh, -c, "echo out; echo err >&2; exit 5"]}',
  );
  const { said, pass } = collector();
  assert.is(await startAttached('once', host, pass), 5);
  assert.equal(said, { stdout: 'out\n', stderr: 'err\n' });
});

test('an interruption stops the service, and the engine does not start it again', async () => {
  const controller = new AbortController();
  const host = await here.host(
    '  app: {image: IMAGE, network_mode: none, init: true, restart: always, command: [sleep, "1000"]}',
    {
      signal: controller.signal,
    },
  );
  const attached = startAttached('app', host, collector().pass);
  const container = `${here.name}-1-app`;
  while ((await here.engine.containers.inspect(container))?.state !== 'running') await setTimeout(20);
  controller.abort(new InterruptedError('terminated'));
  assert.is(await attached, undefined);
  assert.is((await here.engine.containers.inspect(container))?.state, 'exited');
  await setTimeout(500);
  assert.is((await here.engine.containers.inspect(container))?.state, 'exited');
});

test('a shell runs a command in the C locale, and its status comes back', async () => {
  const host = await here.host(
    '  sh: {image: IMAGE, network_mode: none, init: true, command: [sleep, "1000"]}',
  );
  const options = { tty: false, stdin: false };
  assert.instance(
    await errorOf(openShell(host.deployment, here.engine, 'sh', ['true'], options)),
    NotFoundError,
  );
  await startServices(['sh'], host);
  const command = ['sh', '-c', 'echo "$LANG" "$1"; cat; exit 9', '-', 'two  words'];
  const shell = await openShell(host.deployment, here.engine, 'sh', command, { tty: false, stdin: true });
  shell.stdin?.end('from stdin');
  const [output, status] = await Promise.all([text(shell.stdout), shell.exitCode]);
  assert.is(output, 'C two  words\nfrom stdin');
  assert.is(status, 9);
  await here.engine.containers.stop(`${here.name}-1-sh`);
  const error = await errorOf(openShell(host.deployment, here.engine, 'sh', ['true'], options));
  assert.instance(error, ContainerStateError);
});

test("a run uses the service's settings, has a name of its own, and leaves nothing behind with --rm", async () => {
  const host = await here.host(`  job:
    image: IMAGE
    network_mode: none
    environment: {GREETING: hello}
    command: [sh, -c, echo default]`);
  const once = await prepareRun('job', host, {
    command: ['sh', '-c', 'echo $GREETING; exit 3'],
    tty: false,
    stdin: false,
    remove: true,
  });
  const { said, pass } = collector();
  const passed = pass(await here.engine.containers.attach(once.container));
  assert.is(await once.start(), 3);
  await passed;
  assert.is(said.stdout, 'hello\n');
  assert.is(await here.engine.containers.inspect(once.container), undefined);
  assert.is(await here.engine.containers.inspect(`${here.name}-1-job`), undefined);
});

test('a run whose container others remove tells its status', async () => {
  const host = await here.host('  job: {image: IMAGE, network_mode: none}');
  const command = ['sleep', '1000'];
  const once = await prepareRun('job', host, { command, tty: false, stdin: false, remove: true });
  const started = once.start();
  while ((await here.engine.containers.inspect(once.container))?.state !== 'running') await setTimeout(20);
  await here.engine.containers.remove(once.container, { force: true });
  assert.is(await started, 137);
});

test.run();

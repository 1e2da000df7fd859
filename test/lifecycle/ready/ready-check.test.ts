import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ReadyCheck } from '../../../src/deployment/deployment.ts';
import { tryCheck } from '../../../src/lifecycle/ready/ready-check.ts';
import { InterruptedError } from '../../../src/support/errors.ts';
import { createTestHost } from '../host.ts';

const here = await createTestHost();
const container = `${here.name}-1-checked`;
test.before(async () => {
  await here.engine.containers.create({
    name: container,
    image: here.image,
    command: ['sleep', '1000'],
    networkMode: 'none',
    init: true,
  });
  await here.engine.containers.start(container);
});
test.after(() => here.cleanUp());

function attempt(check: ReadyCheck, seconds = 5, signal = new AbortController().signal) {
  return tryCheck(check, container, here.engine, { attempt: seconds, signal });
}

function run(...command: string[]): ReadyCheck {
  return { kind: 'run', command };
}

test('run passes with status 0, and else tells the status and the last line', async () => {
  assert.is(await attempt(run('true')), undefined);
  assert.is(await attempt(run('false')), 'exit 1');
  assert.is(await attempt(run('sh', '-c', 'echo a; echo b >&2; echo c >&2; exit 2')), 'exit 2: c');
  assert.match((await attempt(run('no-such-program'))) ?? '', /no-such-program/);
});

test('run gives up on a command that hangs', async () => {
  assert.match((await attempt(run('sleep', '30'), 0.2)) ?? '', 'no answer within 0.2 s');
});

test('tcp passes when somebody listens', async () => {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  assert.is(await attempt({ kind: 'tcp', host: '127.0.0.1', port }), undefined);
  await new Promise((resolve) => server.close(resolve));
  assert.match((await attempt({ kind: 'tcp', host: '127.0.0.1', port })) ?? '', 'ECONNREFUSED');
});

test('http passes with a status in its range, follows nothing, and gives up on silence', async () => {
  const server = createHttpServer((request, response) => {
    if (request.url === '/silent') return;
    response.writeHead(Number(request.url?.slice(1)), { location: '/200' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const check = (path: string): ReadyCheck => ({
    kind: 'http',
    url: `${base}${path}`,
    status: { from: 200, to: 299 },
  });
  assert.is(await attempt(check('/204')), undefined);
  assert.is(await attempt(check('/302')), 'status 302');
  assert.is(await attempt(check('/500')), 'status 500');
  assert.is(await attempt(check('/silent'), 0.2), 'no answer within 0.2 s');
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test('an interruption ends every kind of check', async () => {
  const checks: ReadyCheck[] = [run('sleep', '30'), { kind: 'tcp', host: '192.0.2.1', port: 1 }];
  for (const check of checks) {
    const controller = new AbortController();
    const waiting = attempt(check, 30, controller.signal);
    controller.abort(new InterruptedError('interrupted'));
    await waiting.then(assert.unreachable, (error) => assert.instance(error, InterruptedError));
  }
});

test.run();

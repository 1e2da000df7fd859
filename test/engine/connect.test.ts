import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connectEngine } from '../../src/engine/connect.ts';
import { EngineUnreachableError, FailedError, UsageError } from '../../src/support/errors.ts';
import { testEngine } from '../support/engine.ts';
import { loadBusyboxImage, streamOf, uniqueName } from '../support/images.ts';
import { failure } from '../support/rejects.ts';

const { socket } = await testEngine();
const directory = mkdtempSync(join(tmpdir(), 'dockerctl-'));
const test = suite('connect');
test.after(() => rmSync(directory, { recursive: true }));

test('an engine that is not there is named, with what to do', async () => {
  const error = await failure(connectEngine({ host: 'unix:///no/such.sock' }).info());
  assert.instance(error, EngineUnreachableError);
  assert.match(error.message, 'cannot reach the engine at unix:///no/such.sock');
  assert.match(error.advice ?? '', '--host');
});

test('what answers and is no engine is told as such', async () => {
  for (const [status, body] of [
    [404, ''],
    [200, '<html>welcome</html>'],
    [200, '{}'],
  ] as const) {
    const server = createServer((_, response) => response.writeHead(status).end(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const error = await failure(connectEngine({ host: `tcp://127.0.0.1:${port}` }).info());
    assert.instance(error, EngineUnreachableError);
    assert.match(
      error.message,
      /^asking the engine at tcp:.* about itself: what answers there is no engine$/,
    );
    server.close();
    server.closeAllConnections();
  }
});

test('one that takes a question and never answers is not waited for', async () => {
  const path = join(directory, 'silent.sock');
  const server = createServer(() => {}).listen(path);
  const error = await failure(connectEngine({ host: `unix://${path}`, patience: 0.1 }).info());
  assert.instance(error, EngineUnreachableError);
  assert.match(error.message, `unix://${path}: no answer in 0.1 seconds`);
  server.closeAllConnections();
  server.close();
});

test('one that hangs before or while it saves images is not waited for', async () => {
  const path = join(directory, 'hung.sock');
  for (const bytes of [0, 100]) {
    const server = createServer((_, response) => {
      if (bytes > 0) response.write(Buffer.alloc(bytes));
    }).listen(path);
    const { images } = connectEngine({ host: `unix://${path}`, silence: 0.2 });
    const error = await failure(images.save(['shop/web:1']).then((stream) => Array.fromAsync(stream)));
    assert.instance(error, FailedError);
    assert.is(error.message, 'saving shop/web:1: the engine gave nothing for 0.2 seconds');
    assert.match(error.advice ?? '', 'must be restarted');
    server.closeAllConnections();
    server.close();
  }
});

test('what the environment says of another engine does not matter', async () => {
  process.env.DOCKER_HOST = 'tcp://127.0.0.1:1';
  process.env.DOCKER_TLS_VERIFY = '1';
  try {
    const info = await connectEngine({ host: `unix://${socket}` }).info();
    assert.equal([info.local, info.store, info.os], [true, 'classic', 'linux']);
  } finally {
    delete process.env.DOCKER_HOST;
    delete process.env.DOCKER_TLS_VERIFY;
  }
});

test('dockerode is not loaded before the first request', async () => {
  const script = `
    const { connectEngine } = await import('./src/engine/connect.ts');
    connectEngine({ host: 'unix:///x' });
    const { createRequire } = await import('node:module');
    console.log(Object.keys(createRequire(import.meta.url).cache).length);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  assert.is(stdout, '0\n');
});

test('through ssh everything works as over the socket', async () => {
  const name = uniqueName();
  const remote = connectEngine({ host: fakeSsh(`exec docker --host unix://${socket} system dial-stdio`) });
  assert.is((await remote.info()).local, false);
  const image = await loadBusyboxImage(remote);
  await remote.containers.create({ name, image, command: ['sleep', '1000'] });
  await remote.containers.start(name);
  const exec = await remote.containers.exec(name, {
    command: ['sh', '-c', 'cat; echo bad >&2; exit 3'],
    stdin: true,
  });
  streamOf(Buffer.alloc(1024 * 1024, 'x')).pipe(exec.stdin!);
  const [said, bad, code] = await Promise.all([text(exec.stdout), text(exec.stderr), exec.exitCode]);
  assert.equal([said.length, bad, code], [1024 * 1024, 'bad\n', 3]);
  await remote.containers.remove(name, { force: true });
  await remote.images.remove(image);
});

test('what ssh complains about is told', async () => {
  const host = fakeSsh('echo "Host key verification failed." >&2; exit 255');
  const error = await failure(connectEngine({ host }).info());
  assert.instance(error, EngineUnreachableError);
  assert.match(error.message, 'Host key verification failed.');
});

test('ssh that is kept for the next request does not keep the process alive', async () => {
  const host = fakeSsh(`exec docker --host unix://${socket} system dial-stdio`);
  const script = `
    const { connectEngine } = await import('./src/engine/connect.ts');
    console.log((await connectEngine({ host: '${host}' }).info()).os);`;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000 });
  assert.is(stdout, 'linux\n');
});

test('over TCP both sides prove who they are', async () => {
  const certificates = makeCertificates();
  const server = await tlsInFrontOf(socket, certificates);
  const { port } = server.address() as AddressInfo;
  const host = `tcp://127.0.0.1:${port}`;
  const environment = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certificates };
  assert.is((await connectEngine({ host, environment }).info()).os, 'linux');
  const stranger = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: makeCertificates() };
  assert.instance(
    await failure(connectEngine({ host, environment: stranger }).info()),
    EngineUnreachableError,
  );
  assert.instance(await failure(connectEngine({ host }).info()), EngineUnreachableError);
  const nowhere = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/no/such' };
  assert.instance(await failure(connectEngine({ host, environment: nowhere }).info()), UsageError);
  server.close();
});

test('a secret of a new container stands in the body of the request, never in its address', async () => {
  const { host, requests, close } = await fakeEngine('{"Id":"1"}', 201);
  await connectEngine({ host }).containers.create({
    name: 'a',
    image: 'b',
    environment: { PASSWORD: 'hush' },
  });
  assert.equal(
    requests.map(({ url }) => url),
    ['/containers/create?name=a'],
  );
  close();
});

test('an image that the containerd store could not unpack is an error', async () => {
  const { host, close } = await fakeEngine(
    '{"stream":"Loaded image: a:1\\n"}\n{"stream":"Error unpacking image b:1: x\\n"}\n',
    200,
  );
  const error = await failure(connectEngine({ host }).images.load(streamOf(Buffer.from('x'))));
  assert.instance(error, FailedError);
  assert.match(error.message, 'Error unpacking image b:1: x');
  close();
});

test('progress is asked for while an image is loaded', async () => {
  const { host, requests, close } = await fakeEngine('', 200);
  await connectEngine({ host }).images.load(streamOf(Buffer.from('x')));
  assert.equal(
    requests.map(({ url }) => url),
    ['/images/load?quiet=0'],
  );
  close();
});

/** Puts a program named ssh first in PATH that runs `script`; returns an address that leads to it. */
function fakeSsh(script: string): string {
  const bin = join(directory, uniqueName());
  mkdirSync(bin);
  writeFileSync(join(bin, 'ssh'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, 'ssh'), 0o755);
  process.env.PATH = `${bin}:${process.env.PATH}`;
  return 'ssh://operator@far.example';
}

/** Something that answers every request the same, for answers that this engine does not give. */
async function fakeEngine(answer: string, status: number) {
  const requests: IncomingMessage[] = [];
  const server = createServer(async (request, response) => {
    requests.push(request);
    await text(request);
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(answer);
  });
  const path = join(directory, uniqueName());
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { host: `unix://${path}`, requests, close: () => server.closeAllConnections() ?? server.close() };
}

/** A directory with an authority, and one certificate of it for both client and server. */
function makeCertificates(): string {
  const path = join(directory, uniqueName());
  mkdirSync(path);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: path, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca-key.pem',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=authority',
    '-days',
    '2',
  );
  openssl('req', ...key, '-keyout', 'key.pem', '-out', 'request.pem', '-subj', '/CN=engine');
  writeFileSync(join(path, 'names'), 'subjectAltName=IP:127.0.0.1');
  const authority = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial'];
  openssl(
    'x509',
    '-req',
    '-in',
    'request.pem',
    ...authority,
    '-extfile',
    'names',
    '-out',
    'cert.pem',
    '-days',
    '2',
  );
  return path;
}

async function tlsInFrontOf(path: string, certificates: string): Promise<Server> {
  const read = (name: string) => readFileSync(join(certificates, name));
  const identity = { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
  const server = createTlsServer({ ...identity, requestCert: true, rejectUnauthorized: true }, (client) => {
    const upstream: Socket = connect(path);
    client.pipe(upstream).pipe(client);
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

test.run();

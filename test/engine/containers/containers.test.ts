import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { extract, pack } from 'tar-stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ContainerDetails, Execution, OutputStreams } from '../../../src/engine/engine.ts';
import type { ContainerSpec } from '../../../src/support/container-spec.ts';
import { FailedError, InterruptedError, NotFoundError } from '../../../src/support/errors.ts';
import { testEngine } from '../../support/engine.ts';
import { loadBusyboxImage, uniqueName } from '../../support/images.ts';

const { engine } = await testEngine();
const { containers } = engine;
const image = await loadBusyboxImage(engine, { files: { 'etc/hello': 'hello\n' } });
const test = suite('containers');
const made: string[] = [];
const shared = await run();

test.after(async () => {
  await Promise.all(
    made.map((name) => containers.remove(name, { force: true, volumes: true }).catch(() => {})),
  );
  await engine.images.remove(image, { force: true });
});

async function create(spec: Partial<ContainerSpec> = {}): Promise<string> {
  const name = spec.name ?? uniqueName();
  made.push(name);
  await containers.create({ image, command: ['sleep', '1000'], stopTimeout: 1, ...spec, name });
  return name;
}

async function run(spec: Partial<ContainerSpec> = {}): Promise<string> {
  const name = await create(spec);
  await containers.start(name);
  return name;
}

async function outcome({ stdout, stderr, exitCode }: Execution): Promise<[string, string, number]> {
  return Promise.all([text(stdout), text(stderr), exitCode]);
}

async function output({ stdout, stderr }: OutputStreams): Promise<[string, string]> {
  return Promise.all([text(stdout), text(stderr)]);
}

async function thrownBy(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => new Error('nothing was thrown'),
    (error) => error,
  );
}

/** What the engine itself says, for what `ContainerDetails` leaves out. */
function rawOf(details: ContainerDetails | undefined) {
  return details?.raw as {
    HostConfig: Record<string, unknown>;
    NetworkSettings: { Ports: Record<string, { HostPort: string }[]> };
  };
}

test('a container goes through its life, and asking twice changes nothing', async () => {
  const name = await create({ labels: { purpose: 'life' } });
  assert.is((await containers.inspect(name))?.state, 'created');
  await containers.start(name);
  await containers.start(name);
  const running = await containers.inspect(name);
  assert.is(running?.state, 'running');
  assert.ok((running?.pid ?? 0) > 0 && running?.startedAt instanceof Date);
  await containers.stop(name, { timeout: 0 });
  await containers.stop(name);
  const stopped = await containers.inspect(name);
  assert.equal([stopped?.state, stopped?.exitCode, stopped?.pid], ['exited', 137, 0]);
  const other = uniqueName();
  made.push(other);
  await containers.rename(name, other);
  assert.is(await containers.inspect(name), undefined);
  await containers.remove(other);
  assert.is(await containers.inspect(other), undefined);
});

test('a list by labels holds exactly those that carry all of them', async () => {
  const label = uniqueName();
  const both = await create({ labels: { [label]: 'a', other: 'b' } });
  await create({ labels: { [label]: 'ab', other: 'b' } });
  const found = await containers.list({ labels: { [label]: 'a', other: 'b' } });
  assert.equal(
    found.map(({ name }) => name),
    [both],
  );
  assert.equal([found[0]?.state, found[0]?.image], ['created', image]);
});

test('neither part of a name nor the beginning of an id names a container', async () => {
  const name = await create({ name: uniqueName('my-nginx') });
  const { id = '' } = (await containers.inspect(name)) ?? {};
  for (const wrong of [
    'my-nginx',
    name.slice(0, -1),
    id.slice(0, 12),
    id.slice(0, 1),
    '',
    '..',
    'a/b',
    '?all=1',
  ]) {
    assert.is(await containers.inspect(wrong), undefined, wrong);
    assert.instance(await thrownBy(containers.remove(wrong, { force: true })), NotFoundError, wrong);
  }
  assert.is((await containers.inspect(id))?.name, name);
});

test('a hexadecimal name is that container and no other', async () => {
  const name = await create({ name: `cafe${randomBytes(4).toString('hex')}` });
  await containers.start(name);
  assert.is((await containers.inspect(name))?.state, 'running');
});

test('a container that cannot be made leaves nothing behind', async () => {
  const [network, name] = [uniqueName(), uniqueName()];
  await engine.networks.create(network);
  const networks = [{ name: network }, { name: 'no-such-network' }];
  const error = await thrownBy(containers.create({ name, image, networks }));
  assert.instance(error, NotFoundError);
  assert.is(await containers.inspect(name), undefined);
  await engine.networks.remove(network);
});

test('a missing image is named', async () => {
  const error = await thrownBy(containers.create({ name: uniqueName(), image: 'no-such-image:1' }));
  assert.instance(error, NotFoundError);
  assert.match(error.message, /no-such-image:1/);
});

test('what a specification says is what the container gets', async () => {
  const host = mkdtempSync(join(tmpdir(), 'dockerctl-'));
  chmodSync(host, 0o755);
  writeFileSync(join(host, 'file'), 'from the host');
  const volume = uniqueName();
  const name = await run({
    environment: { GREETING: 'hi = there', EMPTY: '' },
    user: 'nobody',
    workingDir: '/tmp',
    hostname: 'shop',
    mounts: [
      { type: 'bind', source: host, target: '/host', readOnly: true },
      { type: 'bind', source: join(host, 'made'), target: '/made', createHostPath: true },
      { type: 'volume', source: volume, target: '/volume' },
    ],
    tmpfs: [{ target: '/scratch', options: 'size=1m' }],
    capDrop: ['ALL'],
    ulimits: [{ name: 'nofile', soft: 100, hard: 200 }],
    shmSize: 2 * 1024 * 1024,
    memory: 64 * 1024 * 1024,
    init: false,
    readOnly: true,
    restart: { name: 'on-failure', maximumRetries: 2 },
    extraHosts: ['db:10.1.2.3'],
    sysctls: { 'net.ipv4.ip_unprivileged_port_start': '79' },
  });
  const script =
    'echo "$GREETING|$EMPTY|$(id -u)|$PWD|$HOSTNAME|$(cat /host/file)|$(ulimit -n)"; cat /etc/hosts';
  const [said] = await outcome(await containers.exec(name, { command: ['sh', '-c', script] }));
  assert.match(said, 'hi = there||65534|/tmp|shop|from the host|100\n');
  assert.match(said, /10\.1\.2\.3\s+db/);
  const details = await containers.inspect(name);
  assert.ok(details?.mounts.some((mount) => mount.name === volume && mount.target === '/volume'));
  assert.ok(details?.mounts.some((mount) => mount.source === host && mount.readOnly));
  const { HostConfig } = rawOf(details);
  assert.equal([HostConfig.Memory, HostConfig.ShmSize, HostConfig.ReadonlyRootfs], [67108864, 2097152, true]);
  assert.equal(HostConfig.RestartPolicy, { Name: 'on-failure', MaximumRetryCount: 2 });
  await containers.update(name, { restart: { name: 'no' } });
  await containers.remove(name, { force: true });
  await engine.volumes.remove(volume);
  rmSync(host, { recursive: true });
});

test('a published port answers, and several networks give several addresses', async () => {
  const [first, second] = [uniqueName(), uniqueName()];
  await engine.networks.create(first);
  await engine.networks.create(second);
  const name = await run({
    command: ['httpd', '-f', '-h', '/etc'],
    networks: [{ name: first, aliases: ['web'] }, { name: second }],
    ports: [{ container: 80, protocol: 'tcp', hostAddress: '127.0.0.1' }],
  });
  const details = await containers.inspect(name);
  assert.equal(Object.keys(details?.addresses ?? {}).sort(), [first, second].sort());
  const { Ports } = rawOf(details).NetworkSettings;
  const port = Ports['80/tcp']?.[0]?.HostPort;
  assert.is(await (await fetch(`http://127.0.0.1:${port}/hello`)).text(), 'hello\n');
  await containers.remove(name, { force: true });
  await engine.networks.remove(first);
  await engine.networks.remove(second);
});

test('volumes are shared from another container', async () => {
  const storage = await create({
    command: ['true'],
    mounts: [{ type: 'volume', source: '', target: '/data' }],
  });
  const writer = await run({ volumesFrom: [storage] });
  await outcome(await containers.exec(writer, { command: ['sh', '-c', 'echo x > /data/x'] }));
  const reader = await run({ volumesFrom: [`${storage}:ro`] });
  const [said, , code] = await outcome(
    await containers.exec(reader, { command: ['sh', '-c', 'cat /data/x; echo y > /data/y'] }),
  );
  assert.equal([said, code], ['x\n', 1]);
});

test('a command in a container gives both outputs and its exit status', async () => {
  const command = ['sh', '-c', 'echo out; echo bad >&2; echo "$A $PWD $(id -u)"; exit 42'];
  const exec = await containers.exec(shared, {
    command,
    environment: { A: 'b c' },
    user: 'nobody',
    workingDir: '/tmp',
  });
  assert.is(exec.stdin, undefined);
  assert.equal(await outcome(exec), ['out\nb c /tmp 65534\n', 'bad\n', 42]);
});

test('many short commands all report their own status', async () => {
  for (let status = 0; status < 20; status += 1) {
    const exec = await containers.exec(shared, { command: ['sh', '-c', `echo ${status}; exit ${status}`] });
    assert.equal(await outcome(exec), [`${status}\n`, '', status]);
  }
});

test('closing stdin half-way lets the command finish and its output arrive whole', async () => {
  const bytes = randomBytes(8 * 1024 * 1024);
  const exec = await containers.exec(shared, { command: ['sh', '-c', 'cat; echo done >&2'], stdin: true });
  Readable.from([bytes]).pipe(exec.stdin!);
  const [echoed, said, code] = await Promise.all([buffer(exec.stdout), text(exec.stderr), exec.exitCode]);
  assert.equal([said, code], ['done\n', 0]);
  assert.ok(echoed.equals(bytes));
});

test('a command that ends before it has read its input tells its output and status, and its writer does not hang', async () => {
  for (let round = 0; round < 10; round += 1) {
    const command = ['sh', '-c', 'head -c 1000 >/dev/null; seq 20000; echo bad >&2; exit 5'];
    const exec = await containers.exec(shared, { command, stdin: true });
    const written = thrownBy(pipeline(Readable.from([Buffer.alloc(16 * 1024 * 1024)]), exec.stdin!));
    const [said, bad, code] = await outcome(exec);
    assert.equal([said.length, bad, code], [108894, 'bad\n', 5]);
    assert.match((await written).message, /EPIPE|ECONNRESET|ECANCELED|Premature close/);
  }
});

test('a slow reader holds the command back instead of filling memory', async () => {
  const exec = await containers.exec(shared, { command: ['sh', '-c', 'yes | head -c 100000000'] });
  exec.stderr.resume();
  await setTimeout(500);
  assert.ok(exec.stdout.readableLength < 1024 * 1024, `${exec.stdout.readableLength} bytes waited`);
  const hash = createHash('sha256');
  let length = 0;
  for await (const piece of exec.stdout) {
    hash.update(piece);
    length += piece.length;
  }
  assert.is(length, 100_000_000);
  assert.is(await exec.exitCode, 0);
});

test('with a tty everything is output, and the terminal can be resized', async () => {
  const exec = await containers.exec(shared, {
    command: ['sh', '-c', 'sleep 1; echo out; echo bad >&2'],
    tty: true,
  });
  await exec.resize(100, 40);
  assert.equal(await outcome(exec), ['out\r\nbad\r\n', '', 0]);
});

test('a command that does not exist fails with a status or an error, never with success', async () => {
  const result = await containers
    .exec(shared, { command: ['/no/such/program'] })
    .then(outcome, (error) => error);
  if (result instanceof Error) assert.instance(result, FailedError);
  else assert.is.not(result[2], 0);
});

test('a container that does not run refuses commands', async () => {
  const name = await create();
  const error = await thrownBy(containers.exec(name, { command: ['true'] }));
  assert.instance(error, FailedError);
  assert.match(error.message, /not running/);
});

test('closing a command that still runs ends its streams', async () => {
  const name = await run();
  const exec = await containers.exec(name, { command: ['sleep', '1000'] });
  exec.close();
  assert.equal(await output(exec), ['', '']);
  assert.instance(await thrownBy(exec.exitCode), FailedError);
});

test('a command whose container is killed ends', async () => {
  const name = await run();
  const exec = await containers.exec(name, { command: ['sh', '-c', 'echo up; sleep 1000'] });
  await once(exec.stdout, 'readable');
  await containers.kill(name);
  assert.equal(await output(exec), ['up\n', '']);
  assert.is.not(await exec.exitCode.catch((error) => error), 0);
});

test('logs can be read whole, from the end, since a moment, and followed', async () => {
  const script = 'echo one; echo bad >&2; until [ -e /tmp/go ]; do sleep 0.1; done; echo two';
  const name = await run({ command: ['sh', '-c', script] });
  const first = await containers.logs(name, { follow: true });
  await Promise.all([once(first.stdout, 'readable'), once(first.stderr, 'readable')]);
  assert.equal(await output(await containers.logs(name)), ['one\n', 'bad\n']);
  const later = new Date();
  await outcome(await containers.exec(name, { command: ['sh', '-c', 'echo > /tmp/go'] }));
  assert.equal(await output(first), ['one\ntwo\n', 'bad\n']);
  assert.equal(await output(await containers.logs(name, { since: later })), ['two\n', '']);
  assert.equal(await output(await containers.logs(name, { tail: 1 })), ['two\n', '']);
  const [stamped] = await output(await containers.logs(name, { timestamps: true, tail: 1 }));
  assert.match(stamped, /^\d{4}-\d\d-\d\dT\S+Z two\n$/);
});

test('logs of a container with a tty come unframed', async () => {
  const name = await run({ command: ['sh', '-c', 'echo one; echo bad >&2'], tty: true });
  await containers.wait(name);
  assert.equal(await output(await containers.logs(name)), ['one\r\nbad\r\n', '']);
});

test('following logs can be stopped', async () => {
  const name = await run({ command: ['sh', '-c', 'echo one; sleep 1000'] });
  const logs = await containers.logs(name, { follow: true });
  await once(logs.stdout, 'readable');
  logs.close();
  assert.equal(await output(logs), ['one\n', '']);
});

test('attaching follows output from now on and passes input in', async () => {
  const name = await run({
    command: ['sh', '-c', 'read line; echo "got $line"; read line; echo bad >&2'],
    openStdin: true,
  });
  const stdin = new PassThrough();
  const attached = await containers.attach(name, { stdin });
  stdin.write('a line\n');
  await once(attached.stdout, 'readable');
  stdin.write('another\n');
  assert.equal(await output(attached), ['got a line\n', 'bad\n']);
  assert.is(await containers.wait(name), 0);
});

test('waiting ends with the exit status, or when it is interrupted', async () => {
  const short = await run({ command: ['sh', '-c', 'exit 7'] });
  assert.is(await containers.wait(short), 7);
  const long = await run();
  const interrupt = new AbortController();
  const waiting = thrownBy(containers.wait(long, { signal: interrupt.signal }));
  await setTimeout(100);
  interrupt.abort();
  assert.instance(await waiting, InterruptedError);
});

test('files go into a container and come out of it as tar', async () => {
  const name = await run();
  const tar = pack();
  tar.entry({ name: 'note', mode: 0o640, uid: 5, gid: 6 }, 'a note');
  tar.finalize();
  await containers.writeArchive(name, '/tmp', Readable.from(tar));
  const entries = extract();
  (await containers.readArchive(name, '/tmp/note')).pipe(entries);
  const found = [];
  for await (const entry of entries) {
    found.push([
      entry.header.name,
      (entry.header.mode ?? 0) & 0o7777,
      entry.header.uid,
      entry.header.gid,
      await text(entry),
    ]);
  }
  assert.equal(found, [['note', 0o640, 5, 6, 'a note']]);
  assert.instance(await thrownBy(containers.readArchive(name, '/no/such')), NotFoundError);
});

test('a tar that breaks on its way into a container is told, and does not hang', async () => {
  const broken = new Readable({ read() {} });
  broken.push(Buffer.alloc(512));
  const writing = thrownBy(containers.writeArchive(shared, '/tmp', broken));
  broken.destroy();
  assert.match((await writing).message, 'closed before its end');
});

test.run();

import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ContainerDetails } from '../../../src/engine/engine.ts';
import { NotFoundError } from '../../../src/support/errors.ts';
import { uniqueName } from '../../support/images.ts';
import { failure } from '../../support/rejects.ts';
import { cleanUp, containers, create, engine, image, made, outcome, run } from './world.ts';

test.after(cleanUp);

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
    assert.instance(await failure(containers.remove(wrong, { force: true })), NotFoundError, wrong);
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
  const error = await failure(containers.create({ name, image, networks }));
  assert.instance(error, NotFoundError);
  assert.is(await containers.inspect(name), undefined);
  await engine.networks.remove(network);
});

test('a missing image is named', async () => {
  const error = await failure(containers.create({ name: uniqueName(), image: 'no-such-image:1' }));
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
  // The hard limit: on a busy host runc now and then leaves a command with the soft one that its own runtime had raised.
  const script =
    'echo "$GREETING|$EMPTY|$(id -u)|$PWD|$HOSTNAME|$(cat /host/file)|$(ulimit -Hn)"; cat /etc/hosts';
  const [said] = await outcome(await containers.exec(name, { command: ['sh', '-c', script] }));
  assert.match(said, 'hi = there||65534|/tmp|shop|from the host|200\n');
  assert.match(said, /10\.1\.2\.3\s+db/);
  const details = await containers.inspect(name);
  assert.ok(details?.mounts.some((mount) => mount.name === volume && mount.target === '/volume'));
  assert.ok(details?.mounts.some((mount) => mount.source === host && mount.readOnly));
  const { HostConfig } = rawOf(details);
  assert.equal([HostConfig.Memory, HostConfig.ShmSize, HostConfig.ReadonlyRootfs], [67108864, 2097152, true]);
  assert.equal(HostConfig.Ulimits, [{ Name: 'nofile', Soft: 100, Hard: 200 }]);
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
  assert.is(await answerOf(`http://127.0.0.1:${port}/hello`), 'hello\n');
  await containers.remove(name, { force: true });
  await engine.networks.remove(first);
  await engine.networks.remove(second);
});

/** A server that has only just been started may not listen yet. */
async function answerOf(url: string, tries = 100): Promise<string> {
  try {
    return await (await fetch(url)).text();
  } catch (error) {
    if (tries === 0) throw error;
    await setTimeout(100);
    return answerOf(url, tries - 1);
  }
}

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

test.run();

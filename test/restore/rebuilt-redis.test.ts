import { createWriteStream, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadFixture } from '../../scripts/fixtures/image.ts';
import { redis } from '../../src/databases/redis/redis.ts';
import { runInContainer } from '../../src/engine/containers/run-in-container.ts';
import type { Host } from '../../src/lifecycle/host.ts';
import { destroyServices } from '../../src/lifecycle/services.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { prepareRestore, type RestorePorts } from '../../src/restore/restore.ts';
import { takeBackRestore } from '../../src/restore/unfinished.ts';
import { DamagedError } from '../../src/support/errors.ts';
import { errorOf } from '../support/deployment.ts';
import { testEngine } from '../support/engine.ts';
import { uniqueName } from '../support/images.ts';
import { quietContext } from '../support/save-directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { backUpAll, everything, spoiling, startHost } from './rebuilt-host.ts';

const root = temporaryDirectory();
const live = join(root, 'live');
const { engine } = await testEngine();
const name = uniqueName('redis');
const context = quietContext(join(root, 'state'));
let host: Host;
let ports: RestorePorts;
let repository: Repository;

/** One that keeps dumps in a volume, and one with a password that keeps a log of commands in a directory. */
const services = ['cache', 'queue'] as const;

async function ask(service: string, script: string): Promise<string> {
  const environment = { REDISCLI_AUTH: 'open "sesame"' };
  const command = ['sh', '-c', `printf '%s\\n' "$0" | redis-cli 2>&1`, script];
  const { stdout } = await runInContainer(engine, `${name}-1-${service}`, command, { environment });
  return stdout.trim();
}

const oddData = String.raw`
SET text "line\nbreak \xff\x00 ''"
SET later 1 EX 100000
HSET hash a 1 b "\x00"
RPUSH list 1 2 3
SADD set x y
ZADD sorted 1.5 one 2 two
XADD stream 5-1 field value
XGROUP CREATE stream readers 0
SETBIT bits 1000 1
PFADD counted a b c
SELECT 7
SET other db
EVAL "for i = 1, 2000 do redis.call('SET', 'key:' .. i, string.rep(i, 20)) end" 0`;

const fingerprint = `
GET text
HGETALL hash
LRANGE list 0 -1
ZRANGE sorted 0 -1 WITHSCORES
XRANGE stream - +
XINFO GROUPS stream
BITCOUNT bits
PFCOUNT counted
SCARD set
EXPIRETIME later
DBSIZE
SELECT 7
DBSIZE
GET other
GET key:1999
CONFIG GET appendonly`;

test.before(async () => {
  const image = `dockerctl-test/${name}:1`;
  await engine.images.tag(await loadFixture(engine, 'redis'), image);
  await pipeline(await engine.images.save([image]), createWriteStream(join(root, 'image.tar')));
  mkdirSync(live);
  ({ host, repository, ports } = await startHost(
    root,
    `
name: ${name}
x-dockerctl:
  release: "1"
  images: {archives: [${root}/image.tar]}
  backup:
    repository: ${root}/repository
    sources:
      cache: {title: Cache, service: cache, dump: redis}
      queue: {title: Queue, service: queue, dump: redis}
services:
  cache:
    image: ${image}
    network_mode: none
    volumes: ["data:/data"]
  queue:
    image: ${image}
    network_mode: none
    command: [redis-server, --requirepass, 'open "sesame"', --appendonly, "yes", --bind, 127.0.0.1]
    volumes: ["${live}/queue:/data"]
volumes: {data: {}}
`,
    { engine, context },
  ));
  for (const service of services) {
    await redis.ready({ engine, container: `${name}-1-${service}` }, context);
    await ask(service, `CONFIG SET repl-diskless-sync-delay 0\n${oddData}`);
  }
});

test.after(async () => {
  await repository?.close();
  await destroyServices(['all'], host);
  if (await engine.volumes.inspect(`${name}_data`)) await engine.volumes.remove(`${name}_data`);
  await engine.images.remove(`dockerctl-test/${name}:1`);
});

test('servers that keep dumps or logs come back whole, also on a bare machine, and can be taken back', async () => {
  await backUpAll(host, repository);
  const saved = [await ask('cache', fingerprint), await ask('queue', fingerprint)];
  assert.match(saved[1]!, /appendonly\nyes$/);

  await ask('queue', 'FLUSHALL\nSET later changed');
  await destroyServices(['cache'], host);
  await engine.volumes.remove(`${name}_data`);
  await engine.images.remove(`dockerctl-test/${name}:1`);
  const { plan, run } = await prepareRestore(everything, ports, context);
  assert.equal([plan.stop, plan.start], [['queue'], ['cache', 'queue']]);
  const report = await run();
  assert.equal([await ask('cache', fingerprint), await ask('queue', fingerprint)], saved);
  assert.equal(
    report.databases.map(({ service, name: database, rows }) => [service, database, rows]),
    services.flatMap((service) => [
      [service, 'db0', 9],
      [service, 'db7', 2001],
    ]),
  );

  await takeBackRestore(ports.host, context);
  assert.is(await ask('queue', 'GET later\nDBSIZE'), 'changed\n1');
  assert.equal(readdirSync(live), ['queue']);
  assert.is(await engine.volumes.inspect(`${name}_data`), undefined);
});

test('a dump with a changed byte is refused, and nothing stops', async () => {
  const startedAt = async () => (await engine.containers.inspect(`${name}-1-queue`))?.startedAt;
  const before = await startedAt();
  const spoilt = spoiling(repository, 'dump.rdb', async function* (content) {
    const bytes = Buffer.concat(await Array.fromAsync(content));
    bytes[500]! ^= 1;
    yield bytes;
  });
  const request = { ...everything, only: ['queue'] };
  const prepared = await prepareRestore(request, { ...ports, repository: spoilt }, context);
  assert.instance(await errorOf(prepared.run()), DamagedError);
  assert.equal(await startedAt(), before);
  assert.equal(readdirSync(live), ['queue']);
});

test.run();

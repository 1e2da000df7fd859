import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadFixture } from '../../scripts/fixtures/image.ts';
import type { Host } from '../../src/lifecycle/host.ts';
import { destroyServices } from '../../src/lifecycle/services.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { prepareRestore, type RestorePorts } from '../../src/restore/restore.ts';
import { takeBackRestore } from '../../src/restore/unfinished.ts';
import { archive } from '../databases/mongodb/archive.ts';
import { errorOf } from '../support/deployment.ts';
import { testEngine } from '../support/engine.ts';
import { uniqueName } from '../support/images.ts';
import { quietContext } from '../support/save-directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { backUpAll, everything, startHost } from './rebuilt-host.ts';

/**
 * No MongoDB server can be had offline. These stand-ins keep an archive in the data directory and write down how they
 * were called: what is tested is what we ask of the tools, the passwords' way, and how data directories are exchanged;
 * not MongoDB.
 */
const standIns = {
  mongod: `case "$1" in --version) echo "db version v7.0.5"; exit;; esac
    echo "$*" >/data/db/started; trap 'exit 0' TERM; while :; do sleep 0.1; done`,
  mongodump: `config=$(cat); case "$*" in *secret*) exit 9;; *--config=/dev/stdin*) ;; *) exit 8;; esac
    [ "$config" = 'password: "a \\"secret\\": one"' ] || exit 7
    case "$*" in *system.version*) exit 0;; esac
    echo "$*" >/data/db/dumped; cat /data/db/archive`,
  mongorestore: `file=$(echo "$*" | sed 's/.*--config=//; s/ .*//')
    grep -q 'a \\\\"secret\\\\": one' "$file" || exit 7
    echo "$*" >/data/db/restored; cat >/data/db/archive
    if [ -e /fail ]; then echo "3 document(s) failed to restore." >&2; fi`,
};

const root = temporaryDirectory();
const live = join(root, 'live');
const { engine } = await testEngine();
const name = uniqueName('mongodb');
const context = quietContext(join(root, 'state'));
let host: Host;
let ports: RestorePorts;
let repository: Repository;

const kept = (file: string) => readFileSync(join(live, 'mongo', file));

test.before(async () => {
  const image = await loadFixture(engine, 'sqlite');
  for (const directory of [live, join(live, 'mongo'), join(root, 'bin')]) mkdirSync(directory);
  for (const [program, script] of Object.entries(standIns)) {
    writeFileSync(join(root, 'bin', program), `#!/bin/sh\n${script}\n`);
    chmodSync(join(root, 'bin', program), 0o755);
  }
  writeFileSync(join(live, 'mongo', 'archive'), archive());
  chownSync(join(live, 'mongo'), 1000, 1001);
  chownSync(join(live, 'mongo', 'archive'), 1000, 1001);
  ({ host, repository, ports } = await startHost(
    root,
    `
name: ${name}
x-dockerctl:
  release: "1"
  backup:
    repository: ${root}/repository
    sources: {data: {title: Data, service: db, dump: mongodb}}
services:
  db:
    image: ${image}
    network_mode: none
    user: "1000:1001"
    command: [mongod, --replSet, rs0, --bind_ip_all]
    environment: {MONGO_INITDB_ROOT_USERNAME: root, MONGO_INITDB_ROOT_PASSWORD: 'a "secret": one'}
    volumes: ["${live}/mongo:/data/db", "${root}/bin:/usr/local/bin:ro"]
`,
    { engine, context },
  ));
});

test.after(async () => {
  await repository?.close();
  await destroyServices(['all'], host);
});

test('the tools are asked as their manual says, and the directories are exchanged and come back', async () => {
  await backUpAll(host, repository);
  const account = '--config=/dev/stdin --username=root --authenticationDatabase=admin';
  assert.is(kept('dumped').toString(), `--archive --quiet --numParallelCollections=1 --oplog ${account}\n`);

  writeFileSync(join(live, 'mongo', 'archive'), 'later');
  const { plan, run } = await prepareRestore(everything, ports, context);
  assert.equal(plan.sources[0]?.targets, [{ where: `mongodb in db: ${live}/mongo`, replaces: true }]);
  const report = await run();
  assert.equal(report.databases, [{ service: 'db', name: 'shop', tables: 3, rows: 5 }]);
  assert.equal(kept('archive'), archive());
  const config = '--config=/data/db/dockerctl.yaml --username=root --authenticationDatabase=admin';
  assert.is(kept('restored').toString(), `--archive --drop --stopOnError --oplogReplay ${config}\n`);
  const asTold = '--replSet rs0 --bind_ip_all\n';
  // The server that took the data in has written this file too; the one that stays may only have begun.
  for (let look = 0; look < 200 && kept('started').toString() !== asTold; look++) await setTimeout(50);
  assert.is(kept('started').toString(), asTold);
  assert.equal(readdirSync(join(live, 'mongo')).sort(), ['archive', 'restored', 'started']);

  await takeBackRestore(ports.host, context);
  assert.is(kept('archive').toString(), 'later');
  assert.equal(readdirSync(live), ['mongo']);
});

test('on a bare machine the data belongs to whom the service runs as', async () => {
  await destroyServices(['all'], host);
  rmSync(join(live, 'mongo'), { recursive: true });
  await (await prepareRestore(everything, ports, context)).run();
  const { uid, gid } = statSync(join(live, 'mongo'));
  assert.equal([uid, gid], [1000, 1001]);
  assert.equal(kept('archive'), archive());
  writeFileSync(join(live, 'mongo', 'archive'), 'later');
});

test('documents that could not be loaded fail a restore, although the program ends well', async () => {
  const failing = standIns.mongorestore.replace('[ -e /fail ]', 'true');
  writeFileSync(join(root, 'bin', 'mongorestore'), `#!/bin/sh\n${failing}\n`);
  const prepared = await prepareRestore(everything, ports, context);
  assert.match((await errorOf(prepared.run())).message, /3 document\(s\) failed to restore/);
  assert.is(kept('archive').toString(), 'later');
});

test.run();

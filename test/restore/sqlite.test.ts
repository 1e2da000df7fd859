import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadFixture } from '../../scripts/fixtures/image.ts';
import { createBackup } from '../../src/backup/create.ts';
import { runInContainer } from '../../src/engine/containers/run-in-container.ts';
import type { Host } from '../../src/lifecycle/host.ts';
import { destroyServices, startServices } from '../../src/lifecycle/services.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { prepareRestore, type RestorePorts } from '../../src/restore/restore.ts';
import { takeBackRestore } from '../../src/restore/unfinished.ts';
import { errorOf } from '../support/deployment.ts';
import { testEngine } from '../support/engine.ts';
import { uniqueName } from '../support/images.ts';
import { quietContext } from '../support/save-directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { everything, startHost } from './rebuilt-host.ts';

const root = temporaryDirectory();
const data = join(root, 'data');
const { engine } = await testEngine();
const name = uniqueName('sqlite');
const container = `${name}-1-app`;
const context = quietContext(join(root, 'state'));
let host: Host;
let ports: RestorePorts;
let repository: Repository;

test.before(async () => {
  const image = await loadFixture(engine, 'sqlite');
  mkdirSync(data);
  ({ host, repository, ports } = await startHost(
    root,
    `
name: ${name}
x-dockerctl:
  release: "1"
  backup:
    repository: ${root}/repository
    sources:
      app: {title: App, service: app, dump: sqlite, files: [/data/app.db, /vol/deep/er.db]}
      inside: {title: Inside, service: app, dump: sqlite, files: [/inside.db], full: true}
      host: {title: Host, dump: sqlite, files: [${root}/host.db]}
services:
  app:
    image: ${image}
    network_mode: none
    init: true
    volumes: ["${data}:/data", "vol:/vol"]
volumes: {vol: {}}
`,
    { engine, context },
  ));
  await shell('mkdir /vol/deep');
  for (const path of ['/data/app.db', '/vol/deep/er.db', '/inside.db']) await sql(path, making);
  chownSync(join(data, 'app.db'), 33, 34);
  chmodSync(join(data, 'app.db'), 0o640);
  const made = new DatabaseSync(join(root, 'host.db'));
  made.exec(making);
  made.close();
});

test.after(async () => {
  await repository?.close();
  await destroyServices(['all'], host);
  if (await engine.volumes.inspect(`${name}_vol`)) await engine.volumes.remove(`${name}_vol`);
});

const making = `PRAGMA journal_mode = wal; CREATE TABLE t (id INTEGER PRIMARY KEY, v); CREATE INDEX i ON t (v);
  WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 5000) INSERT INTO t SELECT id, randomblob(100) FROM n;`;

async function shell(script: string, timeout = 60): Promise<string> {
  const { status, stdout, stderr } = await runInContainer(engine, container, ['sh', '-c', script], {
    timeout,
  });
  assert.is(status, 0, stderr);
  return stdout.trim();
}

const sql = (path: string, statements: string) =>
  shell(`sqlite3 ${path} '${statements.replaceAll("'", `'\\''`)}'`);
const sum = (path: string) => sql(path, 'SELECT COUNT(*), SUM(LENGTH(v)), hex(MAX(v)) FROM t');

async function save(full = false) {
  const { snapshot } = await createBackup(
    host.deployment,
    { engine, repository, full, host: 'here' },
    context,
  );
  return Object.fromEntries(snapshot.sources.map((source) => [source.name, source]));
}

/**
 * A process in the container that is in the middle of writing, and has pages in its log that the file does not have.
 */
async function holdOpen(path: string, statements: string): Promise<void> {
  await shell(
    `mkfifo /tmp/hold; (sqlite3 ${path} </tmp/hold >/tmp/said & sleep 600 >/tmp/hold &) 2>&1 >/dev/null`,
  );
  await shell(
    `echo "PRAGMA wal_autocheckpoint = 0; ${statements}; SELECT 'done';" >/tmp/hold; until grep -q done /tmp/said; do sleep 0.05; done`,
  );
}

test('files in a directory, in a volume, in the container itself and on the host are saved whole while they are open', async () => {
  await holdOpen('/data/app.db', "INSERT INTO t (v) VALUES ('in the log only')");
  assert.ok(statSync(join(data, 'app.db-wal')).size > 0);
  const saved = await save(true);
  for (const one of ['app', 'inside', 'host'])
    assert.equal([one, saved[one]!.complete, saved[one]!.warnings], [one, true, []]);
  assert.is(saved.app!.files, 2);
  assert.equal(readdirSync(join(context.stateDir, 'copies')), []);
  const again = await save(true);
  for (const one of ['app', 'inside', 'host']) assert.is(again[one]!.newBytes, 0, one);
});

test('they come back with owner and mode, what the log of the old one held goes, and all of it can be taken back', async () => {
  const before = { app: await sum('/data/app.db'), deep: await sum('/vol/deep/er.db') };
  assert.match(before.app, /^5001\|/);
  await shell(
    `echo "DELETE FROM t; INSERT INTO t (v) VALUES (99); SELECT 'emptied';" >/tmp/hold; until grep -q emptied /tmp/said; do sleep 0.05; done`,
  );
  await sql('/vol/deep/er.db', 'DROP TABLE t');
  const later = await sum('/data/app.db');
  const { plan, run } = await prepareRestore(everything, ports, context);
  assert.equal([plan.stop, plan.start], [['app'], ['app']]);
  await run();
  assert.equal({ app: await sum('/data/app.db'), deep: await sum('/vol/deep/er.db') }, before);
  const { uid, gid, mode } = statSync(join(data, 'app.db'));
  assert.equal([uid, gid, mode & 0o7777], [33, 34, 0o640]);
  assert.ok(!existsSync(join(data, 'app.db-wal')));
  await sql('/data/app.db', 'DELETE FROM t');

  await takeBackRestore(ports.host, context);
  assert.is(await sum('/data/app.db'), later);
  assert.is(await sql('/data/app.db', 'PRAGMA integrity_check'), 'ok');
  assert.equal(
    readdirSync(data).filter((one) => !one.startsWith('app.db')),
    [],
  );
});

test('what is in the container alone is refused before anything is done', async () => {
  const error = await errorOf(prepareRestore({ ...everything, full: true }, ports, context));
  assert.match(error.message, /app keeps \/inside\.db on no volume of its own/);
});

test('on a bare machine the volume is made again', async () => {
  await destroyServices(['all'], host);
  await engine.volumes.remove(`${name}_vol`);
  const { run } = await prepareRestore({ ...everything, only: ['app'] }, ports, context);
  await run();
  await startServices(['all'], host);
  assert.match(await sum('/vol/deep/er.db'), /^5000\|/);
});

test('a file that is damaged, missing or a link spoils its own source, and the next run succeeds', async () => {
  for (const [spoil, mend, says] of [
    [
      'mv /data/app.db /data/aside',
      'mv /data/aside /data/app.db',
      /copying \/data\/app\.db of app: it does not exist/,
    ],
    [
      'mv /data/app.db /data/aside; ln -s aside /data/app.db',
      'mv /data/aside /data/app.db',
      /app\.db is a symbolic link/,
    ],
    [
      'cp /data/app.db /data/aside; printf x >/data/app.db',
      'mv /data/aside /data/app.db',
      /copying \/.*app\.db: it is empty/,
    ],
    ['mv /usr/bin/sqlite3 /usr/bin/aside', 'mv /usr/bin/aside /usr/bin/sqlite3', undefined],
  ] as const) {
    await shell(`rm -f /data/app.db-*; ${spoil}`);
    const saved = await save();
    assert.is(saved.app!.complete, says === undefined);
    assert.is(saved.app!.files, says === undefined ? 2 : 1);
    if (says) assert.match(saved.app!.warnings.join(), says);
    assert.ok(saved.host!.complete);
    await shell(mend);
  }
  assert.ok((await save()).app!.complete);
});

test('every failure of the program in the container is told', async () => {
  await sql('/inside.db', making);
  for (const [does, says] of [
    ['echo "disk on fire" >&2; exit 3', /exited with 3: disk on fire/],
    ['exit 0', /the copy is damaged|does not begin like one/],
    [
      'case "$*" in *backup*) "$real" "$@"; truncate -s 9000 /tmp/dockerctl-*.db;; *) echo ok;; esac',
      /ends before its end/,
    ],
  ] as const) {
    const script = Buffer.from(`#!/bin/sh\nreal=/usr/bin/sqlite3.real\n${does}\n`).toString('base64');
    await shell(
      `mv /usr/bin/sqlite3 /usr/bin/sqlite3.real; echo ${script} | base64 -d >/usr/bin/sqlite3; chmod 755 /usr/bin/sqlite3`,
    );
    const { inside } = await save(true);
    assert.is(inside!.complete, false);
    assert.match(inside!.warnings.join(), says);
    await shell('mv /usr/bin/sqlite3.real /usr/bin/sqlite3');
  }
  assert.ok((await save(true)).inside!.complete);
  assert.is(await shell('ls /tmp | grep -c dockerctl- || true'), '0');
});

test.run();

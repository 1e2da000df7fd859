import { createReadStream, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../../src/engine/engine.ts';
import { loadBusyboxImage } from '../../test/support/images.ts';
import { fixtureArchive, fixtureNames } from '../fixtures/image.ts';
import { type Customers, letCustomersIn, type Tally } from './customers.ts';
import { deploymentFile } from './deployment-file.ts';
import { prove, type Record, takeRecord } from './proof.ts';
import { furnish, type Site, siteIn } from './site.ts';
import type { Terminal } from './terminal.ts';

/** The whole play. Throws when anything fails, or differs in the end. */
export async function play(directory: string, terminal: Terminal, engine: Engine): Promise<void> {
  const site = setStage(directory);
  await upgradeTarball(terminal, engine);
  await bringUp(terminal);
  const record = await nightlyBackup(terminal, site);
  await worstDay(terminal);
  await comeBack(terminal);
  terminal.heading('What is proved');
  await prove(record, site, terminal);
}

function setStage(directory: string): Site {
  for (const name of ['media', 'backup']) mkdirSync(join(directory, name), { mode: 0o700 });
  const site = siteIn(join(directory, 'host'));
  furnish(site);
  const file = deploymentFile(site, join(directory, 'backup'));
  writeFileSync(join(directory, 'dockerctl.yaml'), file, { mode: 0o600 });
  return site;
}

async function upgradeTarball(terminal: Terminal, engine: Engine): Promise<void> {
  terminal.heading('A disk arrives with release 1.4 on it');
  terminal.say('At the vendor: real images of PostgreSQL and nginx on Debian, saved and compressed.');
  for (const name of fixtureNames) {
    await engine.images.load(createReadStream(await fixtureArchive(name)));
    await engine.images.tag(`dockerctl-fixture/${name}:latest`, `shop/${name}:1.4`);
  }
  await loadBusyboxImage(engine, { references: ['shop/busybox:1.4'] });
  const images = 'shop/postgres:1.4 shop/nginx:1.4 shop/busybox:1.4';
  await terminal.type(`docker save ${images} | xz -T0 -1 > media/shop-1.4.tar.xz`);
  await terminal.type('docker image prune --all --force > /dev/null');
  terminal.say('At the site: no image, no Internet. First a copy that was cut short on its way.');
  await terminal.type('head -c 30000000 media/shop-1.4.tar.xz > media/cut-short.tar.xz');
  await terminal.type('dockerctl images load media/cut-short.tar.xz', 14);
  await terminal.type('docker image ls');
  await terminal.type('dockerctl images load media/shop-1.4.tar.xz');
  await terminal.type('dockerctl images list');
}

async function bringUp(terminal: Terminal): Promise<void> {
  terminal.heading('The deployment comes up');
  await terminal.type('cat dockerctl.yaml');
  await terminal.type('dockerctl build all');
  await terminal.type('dockerctl list -l');
  await terminal.type('dockerctl check');
  const tables = [
    "create table orders as select id, 'order ' || id as what, md5(id::text) as mark from generate_series(1, 50000) id",
    'alter table orders add primary key (id)',
    'create table heartbeat (id bigint primary key, said text not null)',
  ];
  for (const sql of tables)
    await terminal.type(`dockerctl shell postgres psql -q -U postgres -d shop -c "${sql}"`);
  await terminal.type(
    "dockerctl shell nginx sh -c 'echo a photograph > /uploads/photo && chmod 600 /uploads/photo'",
  );
}

async function nightlyBackup(terminal: Terminal, site: Site): Promise<Record> {
  terminal.heading('The nightly backup, while customers ask every 10 ms');
  const customers = await letCustomersIn(join(site.logs, 'app.log'));
  await untilBusy(customers.rows);
  await terminal.type('dockerctl backup');
  terminal.say('Again: only what the customers did meanwhile is new.');
  const acknowledged = customers.rows.requests - 1;
  const logSizes = new Map(
    ['app.log', 'access.log'].map((name) => [name, statSync(join(site.logs, name)).size]),
  );
  await terminal.type('dockerctl backup');
  await terminal.type('dockerctl backup list');
  await terminal.type('dockerctl backup verify');
  await customers.leave();
  report(terminal, customers);
  return takeRecord(site, terminal, { acknowledged, logSizes });
}

async function untilBusy(tally: Tally): Promise<void> {
  while (tally.requests < 50) await new Promise((resolve) => setTimeout(resolve, 50));
}

function report(terminal: Terminal, { pages, rows }: Customers): void {
  for (const [what, tally] of Object.entries({ 'pages from nginx': pages, 'rows into PostgreSQL': rows })) {
    const { requests, failures, slowest, firstFailure } = tally;
    terminal.say(`${requests} ${what}: ${failures} failed, the slowest took ${slowest.toFixed(0)} ms`);
    if (failures > 0) throw new Error(`a customer was turned away: ${firstFailure}`);
  }
}

async function worstDay(terminal: Terminal): Promise<void> {
  terminal.heading('The worst day: containers, images, volumes, directories, all lost');
  await terminal.type('dockerctl destroy all --yes');
  await terminal.type('docker volume rm $(docker volume ls --quiet)');
  await terminal.type('docker image prune --all --force > /dev/null');
  await terminal.type('rm -rf host');
  await terminal.type('docker ps --all; docker image ls; docker volume ls; ls');
}

async function comeBack(terminal: Terminal): Promise<void> {
  terminal.heading('What is left: the disk with release 1.4, and the disk of backups');
  await terminal.type('dockerctl images load media/shop-1.4.tar.xz');
  await terminal.type('dockerctl restore latest --dry-run');
  await terminal.type('dockerctl restore latest --yes');
  await terminal.type('dockerctl list -l');
  await terminal.type('dockerctl check');
}

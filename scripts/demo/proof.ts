import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { differences, type Fingerprint, fingerprint } from './fingerprint.ts';
import type { Site } from './site.ts';
import type { Terminal } from './terminal.ts';

/** What was there before all was lost. */
export interface Record {
  trees: Map<string, Fingerprint>;
  /** Count and checksum of a table that nobody writes to. */
  orders: string;
  /** Rows of the table that was written to all the time. */
  heartbeat: string[];
  logs: Map<string, Buffer>;
  begun: Begun;
}

/** What was certainly there when the backup that will be restored began. */
export interface Begun {
  /** So many rows had been acknowledged. */
  acknowledged: number;
  /** Bytes of each log. */
  logSizes: Map<string, number>;
}

const psql = 'dockerctl shell postgres psql -U postgres -d shop -At';

export async function takeRecord(site: Site, terminal: Terminal, begun: Begun): Promise<Record> {
  return {
    trees: await fingerprints(site, terminal),
    orders: await ordersChecksum(terminal),
    heartbeat: await heartbeatRows(terminal),
    logs: new Map([...begun.logSizes.keys()].map((name) => [name, readFileSync(join(site.logs, name))])),
    begun,
  };
}

/** Compares everything with the record; throws at the first thing that is not back. */
export async function prove(record: Record, site: Site, terminal: Terminal): Promise<void> {
  const orders = await ordersChecksum(terminal);
  confirm(orders === record.orders, `orders: ${orders}, as before`);
  proveHeartbeat(record, await heartbeatRows(terminal));
  for (const [title, after] of await fingerprints(site, terminal)) {
    const different = differences(record.trees.get(title) ?? new Map(), after);
    confirm(
      different.length === 0,
      `${title}: ${after.size} files and directories; bytes, owner, mode, time to the nanosecond, links, attributes`,
      different.slice(0, 5).join(', '),
    );
  }
  for (const [name, before] of record.logs)
    proveLog(name, before, readFileSync(join(site.logs, name)), record.begun);
  const { size, blocks } = lstatSync(join(site.packages, 'disk.img'));
  confirm(blocks * 512 < 1024 * 1024, `disk.img: ${size} bytes, still with its holes`);
  console.log('\nEverything is back, and no customer noticed the backup.');
}

/** The dump is one moment of the backup: all rows up to some row, and none of those acknowledged before is missing. */
function proveHeartbeat({ heartbeat, begun }: Record, after: string[]): void {
  const same = after.every((row, index) => row === heartbeat[index]);
  confirm(
    same && after.length >= begun.acknowledged,
    `heartbeat: ${after.length} rows, with each of the ${begun.acknowledged} acknowledged before the backup began`,
  );
}

/** A log that grows is saved up to some byte; nginx goes on writing once it is back. */
function proveLog(name: string, before: Buffer, after: Buffer, { logSizes }: Begun): void {
  const wanted = logSizes.get(name) ?? 0;
  let same = 0;
  while (same < Math.min(before.length, after.length) && before[same] === after[same]) same += 1;
  confirm(same >= wanted, `${name}: ${same} bytes as they were, of ${wanted} when the backup began`);
}

function confirm(holds: boolean, what: string, detail = ''): void {
  if (!holds) throw new Error(`not as it was: ${what} ${detail}`);
  console.log(`same  ${what}`);
}

async function fingerprints(site: Site, terminal: Terminal): Promise<Map<string, Fingerprint>> {
  const [uploads = ''] = (
    await terminal.type("docker volume inspect --format '{{.Mountpoint}}' shop_uploads")
  ).split('\n');
  return new Map([
    ['Puppet manifests', fingerprint(site.puppet)],
    ['Package repository', fingerprint(site.packages)],
    ['Configuration', fingerprint(site.config)],
    ['Uploads', fingerprint(uploads)],
  ]);
}

async function ordersChecksum(terminal: Terminal): Promise<string> {
  const sql = "select count(*) || ' rows, md5 ' || md5(string_agg(o::text, ',' order by id)) from orders o";
  return (await terminal.type(`${psql} -c "${sql}"`)).trim();
}

async function heartbeatRows(terminal: Terminal): Promise<string[]> {
  await terminal.type(`${psql} -c 'copy (select * from heartbeat order by id) to stdout' > heartbeat.tsv`);
  return readFileSync(join(terminal.directory, 'heartbeat.tsv'), 'utf8').trimEnd().split('\n');
}

import * as assert from 'uvu/assert';
import type { DumpFile } from '../../../src/databases/databases.ts';
import { postgres } from '../../../src/databases/postgres/postgres.ts';
import { context, startPostgres, type TestServer } from './server.ts';

export interface Saved {
  path: string;
  bytes: Buffer;
}

/** A server with a shop on it, whose names, rights and settings are odd, and what tests ask of it. */
export async function startShop() {
  const server = await startPostgres();
  await fill(server);
  return {
    server,
    dump: (options: { databases?: string[] } = {}) => dump(server, options),
    databases: () => databases(server),
  };
}

async function fill(server: TestServer): Promise<void> {
  await server.sql(`
    CREATE ROLE app LOGIN PASSWORD 'first';
    CREATE ROLE "we\\""ird";
    GRANT "we\\""ird" TO app;
    CREATE DATABASE "sh op/é" OWNER app;
    CREATE DATABASE empty;
    ALTER DATABASE "sh op/é" SET search_path = "$user", public, '';
    ALTER DATABASE "sh op/é" SET work_mem = '8MB';
    ALTER ROLE app IN DATABASE "sh op/é" SET datestyle = 'ISO, DMY';
    ALTER DATABASE "sh op/é" CONNECTION LIMIT 77;
    GRANT CONNECT ON DATABASE "sh op/é" TO "we\\""ird" WITH GRANT OPTION;
    COMMENT ON DATABASE "sh op/é" IS E'it''s\\n:"database" :x';`);
  await server.sql(
    `CREATE TABLE public.item (id serial PRIMARY KEY, text text, bytes bytea);
     INSERT INTO public.item (text, bytes) SELECT md5(i::text), decode(md5(i::text), 'hex') FROM generate_series(1, 5000) i;
     INSERT INTO public.item (text) VALUES (E'\\\\unrestrict x\\n\\\\.\\nCOPY');
     ALTER TABLE public.item OWNER TO app;
     CREATE VIEW public.latest AS SELECT max(id) FROM public.item;
     SELECT lo_from_bytea(4711, 'large');`,
    'sh op/é',
  );
}

/** The files of a dump. */
export async function dump(server: TestServer, options: { databases?: string[] } = {}): Promise<Saved[]> {
  const saved: Saved[] = [];
  for await (const { path, content } of postgres.dump(
    server,
    { warn: assert.unreachable, ...options },
    context,
  )) {
    const pieces: Uint8Array[] = [];
    for await (const piece of content) pieces.push(piece);
    saved.push({ path, bytes: Buffer.concat(pieces) });
  }
  return saved;
}

/** As the files of a snapshot come back, in pieces. */
export async function* replay(files: readonly Saved[]): AsyncGenerator<DumpFile> {
  for (const { path, bytes } of files) yield { path, content: pieces(bytes) };
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}

async function databases(server: TestServer): Promise<string[]> {
  const names = await server.sql(`SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1`);
  return names.split('\n');
}

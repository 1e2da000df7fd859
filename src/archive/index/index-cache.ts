import { createHash } from 'node:crypto';
import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../../oci/digest.ts';
import { makeDirectoryDurably, writeFileDurably } from '../../support/durable.ts';
import { readSmallFile } from '../../support/small-file.ts';
import type { Compression } from '../codec.ts';
import type { TarEntry } from '../tar/reader.ts';

/** What stands in an archive, as its headers tell it, and the documents in it. */
export type EntryList = ListedEntry[];

export interface ListedEntry extends Pick<TarEntry, 'path' | 'kind' | 'link' | 'size' | 'offset'> {
  compression?: Compression | undefined;
  /** Of a file that may be a document: its bytes. */
  document?: Uint8Array | undefined;
}

/** Remembers what stands in archives that are slow to index. */
export interface IndexCache {
  /** @param identity of the file, such as inode, size and times: it changes when the file does */
  find(identity: string): Promise<EntryList | undefined>;
  keep(identity: string, entries: EntryList): Promise<void>;
}

/** Archives that are remembered, and documents that are, in bytes of JSON. */
const maxArchives = 32;
const maxSize = 4 << 20;
/** Of the file of one, in bytes: a character takes three at most. */
const sizeLimit = 4 * maxSize;

/**
 * One file per archive below `directory`, which is made when the first is remembered: a line with the digest of the
 * rest, and JSON. What is damaged there is as if missing.
 */
export function openIndexCache(directory: string): IndexCache {
  const pathOf = (identity: string) =>
    join(directory, `${createHash('sha256').update(identity).digest('hex')}.json`);
  return {
    async find(identity) {
      try {
        return decode(readSmallFile(pathOf(identity), sizeLimit).toString(), identity);
      } catch {
        return undefined;
      }
    },
    async keep(identity, entries) {
      const text = JSON.stringify({ schema, identity, entries: entries.map(encodeEntry) });
      if (text.length > maxSize) return;
      await makeDirectoryDurably(directory);
      await writeFileDurably(pathOf(identity), `${digestOf(text)}\n${text}`);
      await dropOldest(directory);
    },
  };
}

const schema = 1;

type EncodedEntry = Omit<ListedEntry, 'document'> & { document?: string | undefined };

function encodeEntry({ document, ...entry }: ListedEntry): EncodedEntry {
  return { ...entry, document: document && Buffer.from(document).toString('base64') };
}

function decode(file: string, identity: string): EntryList | undefined {
  const text = file.slice(file.indexOf('\n') + 1);
  if (file !== `${digestOf(text)}\n${text}`) return undefined;
  const kept = JSON.parse(text) as { schema: number; identity: string; entries: EncodedEntry[] };
  if (kept.schema !== schema || kept.identity !== identity) return undefined;
  return kept.entries.map(({ document, ...entry }) => ({
    ...entry,
    link: entry.link,
    document: document === undefined ? undefined : Buffer.from(document, 'base64'),
  }));
}

async function dropOldest(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json'));
  if (names.length <= maxArchives) return;
  const dated = await Promise.all(
    names.map(async (name) => ({
      path: join(directory, name),
      time: (await stat(join(directory, name))).mtimeMs,
    })),
  );
  const oldest = dated.sort((a, b) => a.time - b.time).slice(0, names.length - maxArchives);
  for (const { path } of oldest) await unlink(path);
}

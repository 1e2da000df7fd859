import type { Digest } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';
import type { Archive, SeekableTar } from '../archive.ts';
import { type Compression, codecOf } from '../codec.ts';
import { checkedTar } from '../tar/check.ts';
import { type ArchivedFile, ArchiveFiles } from './archive-files.ts';
import { HeldDocuments } from './held-documents.ts';
import { type ImageIndex, readImages } from './image-index.ts';
import type { EntryList, IndexCache, ListedEntry } from './index-cache.ts';
import { digestsOf } from './layer-digests.ts';

/** What a seekable archive holds, and where. */
export interface ArchiveIndex {
  files: ArchiveFiles;
  index: ImageIndex;
  /** How a file that is no document is compressed, by its first bytes. */
  compression(file: ArchivedFile): Compression | undefined;
  /** The bytes of a file, from where they lie. */
  content(file: ArchivedFile): AsyncGenerator<Uint8Array>;
}

/**
 * Indexes an archive by its headers and documents; layers are passed over, not read.
 * @param cache remembers archives that are slow to index
 * @throws {DamagedError} when its entries or documents are wrong
 */
export async function indexArchive(
  archive: Archive & { seekable: SeekableTar },
  cache?: IndexCache,
): Promise<ArchiveIndex> {
  const { name, seekable, identity } = archive;
  const isSlow = archive.codec !== 'tar' && identity !== undefined;
  const known = isSlow ? await cache?.find(identity) : undefined;
  const entries = known ?? (await listEntries(archive));
  const listed = new Map<ArchivedFile, ListedEntry>();
  const content = (file: ArchivedFile) => seekable.range(file.offset, file.size);
  const files = new ArchiveFiles(name, {
    bytes: async (file) => listed.get(file)?.document ?? (await concatenated(content(file))),
    async diffId(file) {
      const where = `${name}: ${file.path} (at byte ${file.offset})`;
      return (await digestsOf(legacyLayer(content(file), file.path, where), where)).diffId;
    },
  });
  for (const entry of entries) listed.set(files.add(entry), entry);
  const index = await readImages(files);
  // A cache that cannot be written costs time, nothing else.
  if (isSlow && known === undefined) await cache?.keep(identity, entries).catch(() => {});
  return { files, index, compression: (file) => listed.get(file)?.compression, content };
}

async function listEntries(archive: Archive & { seekable: SeekableTar }): Promise<EntryList> {
  const { seekable } = archive;
  const list: EntryList = [];
  // Documents stand at the end of most archives, and its end is always read.
  seekable.expect([{ offset: seekable.size - 1, length: 1 }]);
  const held = new HeldDocuments();
  for await (const entry of archive.entries()) {
    const { path, kind, link, size, offset } = entry;
    const start = kind === 'file' ? await entry.start() : new Uint8Array(0);
    const document =
      kind === 'file' && held.mayHold(size, start) ? await concatenated(entry.content()) : undefined;
    list.push({ path, kind, link, size, offset, compression: codecOf(start), document });
  }
  return list;
}

/** All of it in memory: for what is known to be small. */
export async function concatenated(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece);
  return Buffer.concat(parts);
}

/** The way back. */
export async function* inOnePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/**
 * The formats before 1.10 do not tell the digests of their layers: what can be checked is that they are whole tars.
 * Later ones kept their names.
 */
export function legacyLayer(
  content: AsyncIterable<Uint8Array>,
  path: string,
  where: string,
): AsyncIterable<Uint8Array> {
  return isLegacyLayer(path) ? checkedTar(content, where) : content;
}

/** Whether a file has the name that `docker save` gave to layers before it wrote OCI layouts. */
export function isLegacyLayer(path: string): boolean {
  return path.endsWith('/layer.tar');
}

/** @throws {DamagedError} when a file's bytes are not the ones that were promised */
export function mustMatch(archive: string, file: ArchivedFile, got: Digest, want: Digest): void {
  if (got === want) return;
  throw new DamagedError(
    `${archive}: ${file.path} (at byte ${file.offset}) has digest ${got}, should have ${want}`,
    {
      advice: 'Get the archive again from where it came from',
      facts: { path: file.path, offset: file.offset, got, want },
    },
  );
}

import { type Archive, openArchive, type SeekableTar } from '../../archive/archive.ts';
import type { ArchiveInput } from '../../archive/input.ts';
import type { BlobFile } from '../../oci/blob-file.ts';
import type { Digest } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';
import type { Identity } from '../age/keys.ts';
import { ChunkPlaces } from '../read/chunk-places.ts';
import { readContent } from '../read/content.ts';
import { FrameReader } from '../read/frame-reader.ts';
import { readEntries } from '../read/read-entries.ts';
import type { ReadableRepository } from '../repository.ts';
import { namingLackedKey } from '../seal/key-lacking.ts';
import type { Store } from '../seal/store.ts';
import { readSignedConfig } from '../signed/signed-config.ts';
import { findSnapshot } from '../snapshot/find.ts';
import { blobsOfParts } from '../snapshot/manifest.ts';
import { loadSnapshot } from '../snapshot/stored.ts';
import { blobOf, notExported, readAnnounced } from './exported-entries.ts';

/**
 * Opens the snapshot in an exported archive where it lies: a plain tar, one file or a set of volumes. Nothing is
 * unpacked or written; what is read is checked as in a repository.
 *
 * @returns `undefined` when the archive can only be read from its beginning to its end: it must be imported
 * @throws {DamagedError} when it is not what `exportArchive` wrote, or is cut.
 * @throws {NotFoundError} when there is no such file
 */
export async function openExported(
  input: ArchiveInput,
  identities: readonly Identity[],
): Promise<ReadableRepository | undefined> {
  const archive = await openArchive(input);
  try {
    const { seekable, codec } = archive;
    if (seekable !== undefined && codec === 'tar') return await readable(archive, seekable, identities);
  } catch (error) {
    await archive.close();
    throw error;
  }
  await archive.close();
  return undefined;
}

async function readable(
  archive: Archive,
  tar: SeekableTar,
  identities: readonly Identity[],
): Promise<ReadableRepository> {
  const { manifest, ranges } = await indexOf(archive);
  const store = storeIn(archive.name, tar, ranges, identities);
  const stored = await loadSnapshot(store, manifest);
  const missing = blobsOfParts(stored.parts).filter(({ digest, size }) => ranges.get(digest)?.size !== size);
  if (missing.length > 0) {
    throw notExported(archive.name, `${missing.length} of the snapshot's blobs are not in it`);
  }
  const frames = new FrameReader(store);
  let places: Promise<ChunkPlaces> | undefined;
  return {
    directory: archive.name,
    snapshots: async () => [stored.snapshot],
    find: async (name) => findSnapshot([stored.snapshot], name, archive.name),
    unreadable: async () => [],
    lacking: async () => [], // Else it had not been opened.
    signedConfig: () => readSignedConfig(store, stored.parts),
    entries: (snapshot, source, onGap) =>
      namingLackedKey(readEntries(store, stored, source, onGap), snapshot, store),
    content(_, entry, options) {
      const load = () => (places ??= ChunkPlaces.load(store, stored.parts));
      return readContent(load, frames, entry, options);
    },
    async close() {
      await frames.close();
      await archive.close();
    },
  };
}

/** Where a blob lies in the tar. */
interface Range {
  offset: number;
  size: number;
}

async function indexOf(archive: Archive): Promise<{ manifest: Digest; ranges: Map<Digest, Range> }> {
  const ranges = new Map<Digest, Range>();
  let manifest: Digest | undefined;
  for await (const entry of archive.entries()) {
    if (entry.kind === 'directory' || entry.path === 'oci-layout') continue;
    if (entry.path === 'index.json' && manifest === undefined) {
      manifest = await readAnnounced(entry, archive.name);
    } else {
      const digest = blobOf(entry, archive.name);
      if (ranges.has(digest)) throw notExported(archive.name, `${entry.path} is in it twice`);
      ranges.set(digest, { offset: entry.offset, size: entry.size });
    }
  }
  if (manifest === undefined) throw notExported(archive.name, 'it holds no snapshot');
  return { manifest, ranges };
}

function storeIn(
  name: string,
  tar: SeekableTar,
  ranges: ReadonlyMap<Digest, Range>,
  identities: readonly Identity[],
): Store {
  return {
    directory: name,
    recipients: [],
    identities,
    cache: undefined,
    async open(digest): Promise<BlobFile> {
      const range = ranges.get(digest);
      if (range === undefined) throw new DamagedError(`${digest} is not in ${name}`);
      const { offset: begin, size } = range;
      return {
        size,
        async read(offset, length) {
          const pieces = tar.range(begin + offset, Math.max(0, Math.min(length, size - offset)));
          return Buffer.concat(await Array.fromAsync(pieces));
        },
        async close() {},
      };
    },
  };
}

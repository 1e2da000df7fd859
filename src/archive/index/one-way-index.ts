import type { Digest } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';
import type { Archive } from '../archive.ts';
import { type Compression, codecOf } from '../codec.ts';
import type { TarEntry } from '../tar/reader.ts';
import { type ArchivedFile, ArchiveFiles } from './archive-files.ts';
import { type ArchiveIndex, concatenated, isLegacyLayer, legacyLayer } from './archive-index.ts';
import { HeldDocuments } from './held-documents.ts';
import { readImages } from './image-index.ts';
import { digestsOf } from './layer-digests.ts';
import { releaseDocumentPath } from './release-document.ts';

/**
 * What an archive holds that can be read only once. Layers are passed over.
 * @param stopAtLayers of a bundle, whose documents come first, layers are then not even reached; nor listed
 * @throws {DamagedError} when its entries or documents are wrong
 */
export async function indexOneWay(
  archive: Pick<Archive, 'name' | 'entries'>,
  { stopAtLayers }: { stopAtLayers: boolean },
): Promise<Omit<ArchiveIndex, 'content'>> {
  const documents = new Map<ArchivedFile, Uint8Array>();
  const diffIds = new Map<ArchivedFile, Digest>();
  const compressions = new Map<ArchivedFile, Compression | undefined>();
  const held = new HeldDocuments();
  const files = new ArchiveFiles(archive.name, {
    bytes: async (file) => kept(documents, file, archive.name),
    diffId: async (file) => kept(diffIds, file, archive.name),
  });
  for await (const entry of archive.entries()) {
    if (stopAtLayers && isFirstLayerOfBundle(entry, files)) break;
    const file = files.add(entry);
    if (entry.kind !== 'file') continue;
    const start = await entry.start();
    compressions.set(file, codecOf(start));
    if (held.mayHold(entry.size, start)) documents.set(file, await concatenated(entry.content()));
    if (!isLegacyLayer(entry.path)) continue;
    const where = `${archive.name}: ${entry.path} (at byte ${entry.offset})`;
    const content = legacyLayer(contentOf(entry, file, documents), entry.path, where);
    diffIds.set(file, (await digestsOf(content, where)).diffId);
  }
  return { files, index: await readImages(files), compression: (file) => compressions.get(file) };
}

function isFirstLayerOfBundle({ path, size }: TarEntry, files: ArchiveFiles): boolean {
  const isDocument = size <= maxEarlyDocument || !path.startsWith('blobs/');
  return (
    !isDocument && files.find(releaseDocumentPath) !== undefined && files.find('manifest.json') !== undefined
  );
}

/** A bundle's configs and manifests come before its layers and are smaller than this, but for very unusual ones. */
const maxEarlyDocument = 8 << 20;

async function* contentOf(
  entry: TarEntry,
  file: ArchivedFile,
  documents: ReadonlyMap<ArchivedFile, Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const document = documents.get(file);
  if (document === undefined) yield* entry.content();
  else yield document;
}

function kept<T>(map: ReadonlyMap<ArchivedFile, T>, file: ArchivedFile, name: string): T {
  const value = map.get(file);
  if (value !== undefined) return value;
  throw new DamagedError(`${name}: ${file.path} (at byte ${file.offset}) is not the JSON it should be`);
}

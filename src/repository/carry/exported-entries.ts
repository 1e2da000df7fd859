import type { TarEntry } from '../../archive/tar/reader.ts';
import type { Index } from '../../oci/descriptor.ts';
import { isDescriptor } from '../../oci/descriptor.ts';
import { type Digest, digestNamed, verified } from '../../oci/digest.ts';
import { DamagedError, messageOf } from '../../support/errors.ts';
import { manifestLimit } from '../snapshot/media-types.ts';

/** The digest of the one manifest that `index.json` names. */
export async function readAnnounced(entry: TarEntry, what: string): Promise<Digest> {
  const text = (await readSmall(entry, what)).toString('utf8');
  let manifests: unknown;
  try {
    manifests = (JSON.parse(text) as Partial<Index> | null)?.manifests;
  } catch (error) {
    throw notExported(what, `its index.json cannot be read: ${messageOf(error)}`);
  }
  if (Array.isArray(manifests) && manifests.length === 1 && isDescriptor(manifests[0])) {
    return manifests[0].digest;
  }
  throw notExported(what, 'its index.json does not name one snapshot');
}

/** @throws {DamagedError} when it is no blob */
export function blobOf({ path, kind }: TarEntry, what: string): Digest {
  const digest = digestNamed(path);
  if (kind === 'file' && digest !== undefined) return digest;
  throw notExported(what, `${JSON.stringify(path)} has no place in it`);
}

/**
 * An entry that must be small, and what its digest says when there is one.
 * @throws {DamagedError}
 */
export async function readSmall(entry: TarEntry, what: string, digest?: Digest): Promise<Buffer> {
  if (entry.kind !== 'file' || entry.size > manifestLimit) {
    throw notExported(what, `${JSON.stringify(entry.path)} is no file of a sensible size`);
  }
  const content = digest === undefined ? entry.content() : verified(entry.content(), { digest }, what);
  return Buffer.concat(await Array.fromAsync(content));
}

/** @param what the archive, for the message */
export function notExported(what: string, why: string): DamagedError {
  return new DamagedError(`${what}: is not a snapshot that backup export wrote: ${why}`, {
    advice:
      'Export the snapshot again, or copy the file again; if it is an archive of images: dockerctl images load',
  });
}

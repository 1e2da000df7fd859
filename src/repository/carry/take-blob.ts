import type { TarEntry } from '../../archive/tar/reader.ts';
import { type Digest, hexOf, verified } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';
import { blobOf, notExported } from './exported-entries.ts';
import type { Incoming } from './incoming.ts';

export interface Taking {
  /** The archive, for messages. */
  what: string;
  skipDamaged: boolean;
  /** Is told of damage that is skipped. */
  warn(error: unknown): void;
}

/**
 * Takes one blob of an archive in, or checks it where it is here already.
 * @param unseen sizes of the blobs that have not come; this one is no longer among them when it is whole
 * @throws {DamagedError} unless damage is skipped, and always where nothing can be taken without it
 */
export async function takeOrWarn(
  entry: TarEntry,
  incoming: Incoming,
  unseen: Map<Digest, number>,
  { what, skipDamaged, warn }: Taking,
): Promise<void> {
  try {
    await takeBlob(entry, incoming, unseen, what);
  } catch (error) {
    if (!skipDamaged || !(error instanceof DamagedError)) throw error;
    requireConfig(incoming, unseen, what, error);
    warn(error);
  }
}

async function takeBlob(
  entry: TarEntry,
  incoming: Incoming,
  unseen: Map<Digest, number>,
  what: string,
): Promise<void> {
  const digest = blobOf(entry, what);
  const size = unseen.get(digest);
  if (size === undefined) throw notExported(what, `${JSON.stringify(entry.path)} has no place in it`);
  if (incoming.lacking.some((blob) => blob.digest === digest)) await incoming.add(digest, entry.content());
  else for await (const _ of verified(entry.content(), { digest, size }, `${what}: ${hexOf(digest)}`));
  unseen.delete(digest);
}

/** Nobody knows what the rest is of without it. @throws {DamagedError} unless it has come, or is here already */
export function requireConfig(
  { lacking, needed }: Incoming,
  unseen: ReadonlyMap<Digest, number>,
  what: string,
  cause?: DamagedError,
): void {
  const { digest } = needed[0]!;
  if (!unseen.has(digest) || !lacking.some((blob) => blob.digest === digest)) return;
  const why = cause === undefined ? 'it ends before that' : cause.message;
  throw new DamagedError(`importing ${what}: nothing of it can be taken without what tells of it: ${why}`, {
    advice: 'Copy it again from where it came from, all volumes of it',
    cause,
  });
}

import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestOf, hexOf, isDigest } from '../../oci/digest.ts';
import { makeDirectoryDurably, writeFileDurably } from '../../support/durable.ts';
import { readSmallFile } from '../../support/small-file.ts';
import { readEveryHostRecord, readHostRecord, writeHostRecord } from '../host-record.ts';
import { metadataLimit } from '../snapshot/media-types.ts';

/**
 * What is inside the sealed trees and indexes that this host wrote, by the digest of their sealed form: so it can
 * compare with its last backup although it could not open it. It holds names of files of this host, is private to its
 * owner, and can be thrown away: the next run then stores everything anew.
 */
export class PlainCache {
  readonly directory: string;
  readonly #stateDir: string;

  /** @param repository id: what is cached of one repository is of no use for another */
  constructor(stateDir: string, repository: string) {
    this.directory = join(stateDir, 'cache', repository);
    this.#stateDir = stateDir;
  }

  /** Everything it has. */
  async digests(): Promise<Set<Digest>> {
    const names = await readdir(this.directory).catch(() => []);
    return new Set(names.map((name) => `sha256:${name}`).filter(isDigest));
  }

  /** `undefined` when it is not there, or not as it was written. */
  read(sealed: Digest): Buffer | undefined {
    try {
      const bytes = readSmallFile(this.#path(sealed), metadataLimit);
      const plain = bytes.subarray(digestLength);
      return bytes.toString('latin1', 0, digestLength) === digestOf(plain) ? plain : undefined;
    } catch {
      return undefined;
    }
  }

  async write(sealed: Digest, plain: Uint8Array): Promise<void> {
    await makeDirectoryDurably(this.directory);
    await writeFileDurably(this.#path(sealed), Buffer.concat([Buffer.from(digestOf(plain)), plain]));
  }

  /**
   * Forgets what the repository in `directory` needs no longer, nor any copy of it that this host writes to in turn, as
   * to one on a disk that is carried away.
   */
  async keepOnly(needed: ReadonlySet<Digest>, directory: string): Promise<void> {
    const known = await readHostRecord('needed', this.#stateDir, directory);
    if (known.symmetricDifference(needed).size > 0)
      await writeHostRecord('needed', this.#stateDir, directory, needed);
    const kept = (await readEveryHostRecord('needed', this.#stateDir)).union(needed);
    await makeDirectoryDurably(this.directory);
    for (const name of await readdir(this.directory)) {
      const digest = `sha256:${name}`;
      if (!isDigest(digest) || !kept.has(digest)) await unlink(join(this.directory, name));
    }
  }

  #path(sealed: Digest): string {
    return join(this.directory, hexOf(sealed));
  }
}

const digestLength = 'sha256:'.length + 64;

import type { Digest } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';
import type { Store } from '../seal/store.ts';
import { type Provenance, requireProvenance, type TrustedKeys } from '../signed/provenance.ts';
import { readSignedConfig, signatureLimit } from '../signed/signed-config.ts';
import { decodeConfig } from '../snapshot/config.ts';
import type { BlobRef, Parts } from '../snapshot/manifest.ts';
import { configLimit } from '../snapshot/media-types.ts';
import { shortId } from '../snapshot/short-id.ts';

/**
 * The config of an incoming snapshot and its signature: what tells whether to take the rest. What comes of them is kept
 * in memory until it is found good, so that nothing is written of a snapshot that is refused.
 */
export class IncomingHead {
  readonly #store: Store;
  readonly #parts: Parts;
  readonly #keys: TrustedKeys;
  readonly #held = new Map<Digest, Buffer>();
  /** It came, and was not what its digest says. */
  #isSignatureLost = false;
  #provenance: Provenance | undefined;

  constructor(store: Store, parts: Parts, keys: TrustedKeys) {
    this.#store = store;
    this.#parts = parts;
    this.#keys = keys;
  }

  has(digest: Digest): boolean {
    const { config, signature } = this.#parts;
    return digest === config.digest || digest === signature?.digest;
  }

  awaits(digest: Digest): boolean {
    if (digest === this.#parts.signature?.digest && this.#isSignatureLost) return false;
    return this.has(digest) && !this.#held.has(digest);
  }

  /** @throws {DamagedError} when it is too long to be what it says */
  async hold({ digest, size }: BlobRef, content: AsyncIterable<Uint8Array>): Promise<void> {
    const limit = digest === this.#parts.config.digest ? configLimit : signatureLimit;
    if (size > limit)
      throw new DamagedError(`taking in ${digest}: it has ${size} bytes, at most ${limit} do`);
    try {
      this.#held.set(digest, Buffer.concat(await Array.fromAsync(content)));
    } catch (error) {
      this.#isSignatureLost ||= digest === this.#parts.signature?.digest;
      throw error;
    }
  }

  /**
   * Decides, the first time that it is asked.
   * @returns who made the snapshot, and what is to be written now
   * @throws {DamagedError} when it is no config @throws {SignatureError} when it must not be taken
   */
  async check(): Promise<{ provenance: Provenance; held: [Digest, Buffer][] }> {
    if (this.#provenance !== undefined) return { provenance: this.#provenance, held: [] };
    const signed = await readSignedConfig(this.#store, this.#parts, this.#held);
    decodeConfig(signed.config, `config ${this.#parts.config.digest}`);
    const what = `snapshot ${shortId(this.#parts.config.digest)}`;
    this.#provenance = await requireProvenance(signed, this.#keys, what);
    return { provenance: this.#provenance, held: [...this.#held] };
  }
}

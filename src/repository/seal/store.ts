import type { Layout } from '../../oci/layout.ts';
import type { Identity, Recipient } from '../age/keys.ts';
import type { PlainCache } from './plain-cache.ts';

/** A repository's blobs on disk, and who can read what is inside them. */
export interface Store extends Layout {
  /** Whoever can open the blobs that are written; nobody: they are not sealed. */
  readonly recipients: readonly Recipient[];
  /** The private keys at hand; a host that only makes backups has none. */
  readonly identities: readonly Identity[];
  /** What stands in for a private key where this host reads its own backups. */
  readonly cache: PlainCache | undefined;
  /**
   * Asked before every piece that is read: what reads for minutes ends at once when it is to end. Throws
   * `InterruptedError`.
   */
  readonly throwIfInterrupted?: () => void;
}

import type { Digest } from '../../oci/digest.ts';
import { blobPath } from '../../oci/layout.ts';
import { DamagedError, SignatureError } from '../../support/errors.ts';
import type { Damage } from '../repository.ts';
import type { Store } from '../seal/store.ts';
import type { Catalog } from '../snapshot/catalog.ts';
import { blobsOf } from '../snapshot/stored.ts';
import { filesOfLostSnapshot } from './lost-snapshot.ts';
import { spoiledFiles } from './spoiled-files.ts';

/** What is wrong with a blob. */
export interface DamagedBlob {
  digest: Digest;
  message: string;
  /** The digest of what is there instead. */
  got?: Digest;
  /** It is what its name says, and yet wrong. */
  inside?: boolean;
}

/** Collects damage, each with the snapshots and the files that it spoils. */
export class DamageReport {
  readonly damage: Damage[] = [];
  readonly blobs = new Set<Digest>();
  /** Of these, those of which only what is in them is wrong. */
  readonly inside = new Set<Digest>();
  readonly #store: Store;
  readonly #catalog: Catalog;

  /** @param store with what this host remembers of its own backups, where it does */
  constructor(store: Store, catalog: Catalog) {
    this.#store = store;
    this.#catalog = catalog;
  }

  async add({ digest, message, got, inside = false }: DamagedBlob): Promise<void> {
    const { stored, damaged } = this.#catalog;
    const spoiled = stored.filter((snapshot) => blobsOf(snapshot).some((blob) => blob.digest === digest));
    const lost = damaged.filter(({ manifest, id }) => manifest === digest || id === digest);
    const snapshots = new Set([...spoiled.map(({ snapshot }) => snapshot.id), ...lost.map(({ id }) => id)]);
    const path = blobPath(this.#store, digest);
    const files: string[] = [];
    this.blobs.add(digest);
    if (inside) this.inside.add(digest);
    this.damage.push({
      message: `${path}: ${message}`,
      path,
      got,
      want: digest,
      snapshots: [...snapshots],
      files,
    });
    if (spoiled.length > 0)
      files.push(...(await spoiledFiles(this.#store, spoiled, stored, digest).catch(unlessSealed)));
    for (const snapshot of lost) files.push(...(await filesOfLostSnapshot(this.#store, snapshot)));
  }
}

/** Without a key it is known what is spoiled, but not its name. */
function unlessSealed(error: unknown): string[] {
  if (error instanceof DamagedError || error instanceof SignatureError) return [];
  throw error;
}

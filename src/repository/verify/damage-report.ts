import type { Digest } from '../../oci/digest.ts';
import { blobPath } from '../../oci/layout.ts';
import type { Damage } from '../repository.ts';
import type { Store } from '../seal/store.ts';
import type { Catalog } from '../snapshot/catalog.ts';
import { blobsOf, type StoredSnapshot } from '../snapshot/stored.ts';
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
  readonly #found: { digest: Digest; told: Damage }[] = [];

  /** @param store with what this host remembers of its own backups, where it does */
  constructor(store: Store, catalog: Catalog) {
    this.#store = store;
    this.#catalog = catalog;
  }

  add({ digest, message, got, inside = false }: DamagedBlob): void {
    const path = blobPath(this.#store, digest);
    this.blobs.add(digest);
    if (inside) this.inside.add(digest);
    const told = { message: `${path}: ${message}`, path, got, want: digest, snapshots: [], files: [] };
    this.#found.push({ digest, told });
    this.damage.push(told);
  }

  /** Names snapshots and files: of all damage together, for that is where the time goes. */
  async nameSpoiled(): Promise<void> {
    const { stored, damaged } = this.#catalog;
    const spoiled = this.#spoiled();
    const names = await spoiledFiles(this.#store, spoiled, stored);
    for (const { digest, told } of this.#found) {
      const lost = damaged.filter(({ manifest, id }) => manifest === digest || id === digest);
      const ids = (spoiled.get(digest) ?? []).map(({ snapshot }) => snapshot.id);
      told.snapshots = [...new Set([...ids, ...lost.map(({ id }) => id)])];
      told.files = names.of(digest);
      for (const snapshot of lost) told.files.push(...(await filesOfLostSnapshot(this.#store, snapshot)));
    }
  }

  /** The snapshots that need each of these blobs. */
  #spoiled(): Map<Digest, StoredSnapshot[]> {
    const spoiled = new Map<Digest, StoredSnapshot[]>();
    for (const snapshot of this.#found.length === 0 ? [] : this.#catalog.stored) {
      for (const { digest } of blobsOf(snapshot)) {
        if (!this.blobs.has(digest)) continue;
        const users = spoiled.get(digest) ?? [];
        spoiled.set(digest, users);
        users.push(snapshot);
      }
    }
    return spoiled;
  }
}

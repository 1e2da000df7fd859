import type { Digest } from '../../oci/digest.ts';
import { blobPath } from '../../oci/layout.ts';
import type { Store } from '../seal/store.ts';

/**
 * Where a blob lies that is damaged, or that another one has replaced: beside its place, under a name that is no
 * blob's.
 */
export function asidePath(store: Store, digest: Digest): string {
  return `${blobPath(store, digest)}.damaged`;
}

import { familiarReference, isReference } from '../../archive/index/reference.ts';
import type { ImageDetails } from '../../engine/engine.ts';
import type { ReleaseRecord } from './catalog.ts';

/** A tag that no longer points at the image that its release was loaded with. */
export interface MovedTag {
  reference: string;
  release: string;
  /** The engine's id of what it points at, and the config digest of what it should. */
  got: string;
  want: string;
}

/**
 * Which of these references (as the engine resolves them) are not the images of the catalogued release. A reference
 * that the release does not name is nobody's to judge.
 */
export function movedTags(
  found: ReadonlyMap<string, ImageDetails>,
  release: ReleaseRecord | undefined,
): MovedTag[] {
  if (release === undefined) return [];
  return [...found].flatMap(([reference, { id }]) => {
    const named = release.images.filter(({ references }) => references.includes(catalogName(reference)));
    // Its id is the config's digest on the classic store, the manifest's on the containerd store.
    if (named.length === 0 || named.some(({ config, manifest }) => id === config || id === manifest))
      return [];
    return [{ reference, release: release.release, got: id, want: named[0]?.config ?? '' }];
  });
}

/**
 * As the catalog writes it: `docker.io/library/web` is `web:latest`. Ids, and names with a digest, are none of the
 * catalog's.
 */
function catalogName(reference: string): string {
  const tagged = /:[^/]*$/.test(reference) ? reference : `${reference}:latest`;
  return isReference(tagged) ? familiarReference(tagged, reference) : reference;
}

import type { Digest } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';
import { toText } from '../../support/posix/byte-path.ts';
import type { Store } from '../seal/store.ts';
import type { StoredSnapshot } from '../snapshot/load.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import { readSegments } from '../tree/read-tree.ts';
import { readPackContents } from './check-pack.ts';

/** So many files are named; a damaged pack can spoil thousands. */
export const mostFiles = 100;

/** `source:path` of files whose content is in a pack, by the trees of these snapshots. */
export async function filesInPack(
  store: Store,
  stored: readonly StoredSnapshot[],
  pack: Digest,
): Promise<string[]> {
  const contents = (await readPackContents(store, stored)).find((other) => other.pack === pack);
  if (contents === undefined) return [];
  const chunks = new Set(contents.frames.flatMap((frame) => frame.chunks.match(/.{64}/g) ?? []));
  const files = new Set<string>();
  for (const { source, refs } of treesOf(stored)) {
    const affected = refs.filter(({ packs }) => packs.some(({ digest }) => digest === pack));
    for await (const segment of readSegments(store, affected)) {
      if (segment instanceof DamagedError) continue;
      for (const entry of segment.entries) {
        if (entry.chunks?.some((chunk) => chunks.has(chunk))) files.add(`${source}:${toText(entry.path)}`);
        if (files.size === mostFiles) return [...files];
      }
    }
  }
  return [...files];
}

/** Between which files a segment stood that cannot be read: `source:after PATH, before PATH`. */
export async function filesInTree(
  store: Store,
  stored: readonly StoredSnapshot[],
  tree: Digest,
): Promise<string[]> {
  const files = new Set<string>();
  for (const { source, refs } of treesOf(stored)) {
    const at = refs.findIndex(({ digest }) => digest === tree);
    if (at < 0) continue;
    const before = await edgeOf(store, refs[at - 1], -1);
    const after = await edgeOf(store, refs[at + 1], 0);
    files.add(
      `${source}:files ${before === undefined ? 'from the first' : `after ${before}`}${after === undefined ? '' : ` before ${after}`}`,
    );
  }
  return [...files];
}

async function edgeOf(store: Store, ref: TreeRef | undefined, at: 0 | -1): Promise<string | undefined> {
  if (ref === undefined) return undefined;
  for await (const segment of readSegments(store, [ref])) {
    const entry = segment instanceof DamagedError ? undefined : segment.entries.at(at);
    return entry && toText(entry.path);
  }
  return undefined;
}

function treesOf(stored: readonly StoredSnapshot[]): { source: string; refs: TreeRef[] }[] {
  return stored.flatMap(({ trees }) => [...trees].map(([source, refs]) => ({ source, refs })));
}

import { hash } from 'node:crypto';
import type { Digest } from '../../oci/digest.ts';
import type { Context } from '../../support/context.ts';
import type { ChunkTable } from '../chunks/table.ts';
import { encodePackLine, type PackContents } from '../packs/index-lines.ts';
import type { Store } from '../seal/store.ts';
import { shortId } from '../snapshot/short-id.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import { readEveryTelling } from '../verify/check-pack.ts';
import { countLive } from './read-live.ts';

export interface Needs {
  everything: readonly StoredSnapshot[];
  /** Those that can be looked into. */
  readable: readonly StoredSnapshot[];
  /** Every chunk that these need. */
  live: ChunkTable;
}

/**
 * Packs of which less than half is needed and nothing is in dispute. Anybody may have sent a snapshot: one whose index
 * tells of a pack what others do not must not decide what is in it, nor one that names other recipients who may open
 * it.
 */
export async function findWasteful(
  store: Store,
  { everything, readable, live }: Needs,
  { progress }: Context,
): Promise<PackContents[]> {
  const different = differentlySealed(everything);
  const disputed = new Set<Digest>();
  const told = new Map<Digest, string>();
  const wasteful: PackContents[] = [];
  for await (const { contents } of readEveryTelling(store, readable)) {
    const line = hash('sha256', encodePackLine(contents));
    const before = told.get(contents.pack);
    if (before === undefined && isWasteful(contents, live)) wasteful.push(contents);
    if (before !== undefined && before !== line) disputed.add(contents.pack);
    told.set(contents.pack, line);
  }
  if (disputed.size > 0) progress.warn(tellOfLie(disputed, readable));
  return wasteful.filter(({ pack }) => !disputed.has(pack) && !different.has(pack));
}

/** No damage makes an index that is whole and says something else: somebody wrote it so. */
function tellOfLie(disputed: ReadonlySet<Digest>, stored: readonly StoredSnapshot[]): string {
  const users = stored.filter(({ parts }) => parts.packs.some(({ digest }) => disputed.has(digest)));
  const ids = users.map(({ snapshot }) => shortId(snapshot.id)).join(', ');
  return `one of the snapshots ${ids} says of a pack that all of them need what the others do not: find out who made it`;
}

function isWasteful(pack: PackContents, live: ChunkTable): boolean {
  const count = countLive(pack, live);
  return count.live * 2 < count.total;
}

/**
 * Packs of snapshots that do not name the same recipients, and those of one that a repair told anew: it may name too
 * few.
 */
function differentlySealed(everything: readonly StoredSnapshot[]): Set<Digest> {
  const recipientsOf = new Map<Digest, string>();
  const different = new Set<Digest>();
  for (const { snapshot, parts } of everything) {
    const recipients = snapshot.recipients.toSorted().join(' ');
    for (const { digest } of parts.packs) {
      if (snapshot.rebuilt && recipients !== '') different.add(digest);
      if ((recipientsOf.get(digest) ?? recipients) !== recipients) different.add(digest);
      recipientsOf.set(digest, recipients);
    }
  }
  return different;
}

import type { Entry } from '../../repository/entry.ts';
import { shortId } from '../../repository/snapshot/short-id.ts';
import type { Snapshot, SourceSummary } from '../../repository/snapshot/snapshot.ts';
import { isWithin, type PathRange } from '../../repository/tree/path-range.ts';
import { NotFoundError } from '../../support/errors.ts';
import { fromEscapedText, fromText, toText } from '../../support/posix/byte-path.ts';

/**
 * How people name a file of a snapshot: by the path it has on the host where it has one, else by its source:
 * `/etc/puppet/site.pp`, `uploads:2026/a.png`.
 */
export function fileNameOf(
  source: Pick<SourceSummary, 'name' | 'kind'>,
  { path }: Pick<Entry, 'path'>,
): string {
  const inside = path === '.' ? '' : toText(path);
  return source.kind === 'paths' ? `/${inside}` : `${source.name}:${inside}`;
}

/** Some part of a snapshot: of one source, what lies at `path` and below. */
export interface Place {
  source: SourceSummary;
  /** As in the tree, one character per byte; `undefined`: all of it. */
  path: string | undefined;
}

/**
 * The places that a name means: a source, a file or directory as `fileNameOf` writes it; everything when left out. What
 * lists print as `\xff` may mean that byte, or a file that is really called so.
 * @throws {NotFoundError} when the snapshot has no such source
 */
export function placesNamed({ id, sources }: Snapshot, name: string | undefined): Place[] {
  if (name === undefined) return sources.map((source) => ({ source, path: undefined }));
  if (name.startsWith('/')) {
    return sources.filter(({ kind }) => kind === 'paths').flatMap((source) => placesIn(source, name));
  }
  const [sourceName = '', ...rest] = name.split(':');
  const source = sources.find((one) => one.name === sourceName);
  if (source === undefined) {
    throw new NotFoundError(
      `looking for ${name} in snapshot ${shortId(id)}: there is no source ${sourceName}`,
      {
        advice: `Its sources: ${sources.map((one) => one.name).join(', ')}`,
      },
    );
  }
  return placesIn(source, rest.join(':'));
}

function placesIn(source: SourceSummary, name: string): Place[] {
  const paths = new Set([fromText(name), fromEscapedText(name)].map(treePath));
  return [...paths].map((path) => ({ source, path }));
}

function treePath(name: string): string | undefined {
  const path = name.replace(/^\/+/, '').replace(/\/+$/, '');
  return path === '' || path === '.' ? undefined : path;
}

/** Whether something of a place may have been in a part of a tree that cannot be read. */
export function mayHaveHeld(gap: PathRange, place: Place): boolean {
  const { path: wanted } = place;
  if (wanted === undefined || isWithin(wanted, gap)) return true;
  const beginsInIt = gap.after !== undefined && isAt(place, { path: gap.after });
  const endsInIt = gap.before !== undefined && gap.before !== wanted && isAt(place, { path: gap.before });
  return beginsInIt || endsInIt;
}

/** Whether an entry lies at a place or below it. */
export function isAt({ path: wanted }: Place, { path }: Pick<Entry, 'path'>): boolean {
  return wanted === undefined || path === wanted || path.startsWith(`${wanted}/`);
}

/** The error for a name that means no file of the snapshot. */
export function noSuchFile({ id }: Snapshot, name: string): NotFoundError {
  return new NotFoundError(`looking for ${name} in snapshot ${shortId(id)}: there is no such file`, {
    advice: `dockerctl backup ls ${shortId(id)} lists them`,
  });
}

import type { SourceKind, SourceSummary } from '../../repository/snapshot/snapshot.ts';
import { describeRange, type PathRange } from '../../repository/tree/path-range.ts';
import { toText } from '../../support/posix/byte-path.ts';

/** What of one source of a snapshot cannot be read, and what can. Paths have one character per byte. */
export interface Loss {
  roots: readonly string[];
  /** Whatever lay here: nobody knows what it was. */
  ranges: PathRange[];
  /** Files whose content cannot be read, or not all of it; and why. */
  files: Map<string, string>;
  /** Directories of which owner, rights and attributes are lost. */
  directories: string[];
  /** As a summary counts them. */
  readable: { files: number; bytes: number };
  isNothingLeft: boolean;
}

/** The same for people and machines: paths are `SOURCE:PATH`. */
export interface ToldLoss {
  source: string;
  title: string;
  kind: SourceKind;
  /** `SOURCE:every file after PATH and before PATH`. */
  ranges: string[];
  files: { path: string; reason: string }[];
  directories: string[];
}

/** A loss in words for an operator, each with the name of its source. */
export function tellLoss(
  { name, title, kind }: SourceSummary,
  { ranges, files, directories }: Loss,
): ToldLoss {
  const named = (path: string) => `${name}:${toText(path)}`;
  return {
    source: name,
    title,
    kind,
    ranges: ranges.map((range) => `${name}:${describeRange(range)}`),
    files: [...files].map(([path, reason]) => ({ path: named(path), reason })),
    directories: directories.map(named),
  };
}

import type { ReadableRepository } from './repository.ts';

/** The same repository, but for what `own` does in its place. */
export function delegate(
  repository: ReadableRepository,
  own: Partial<ReadableRepository>,
): ReadableRepository {
  return {
    directory: repository.directory,
    snapshots: () => repository.snapshots(),
    unreadable: () => repository.unreadable(),
    find: (name) => repository.find(name),
    lacking: (snapshot, source) => repository.lacking(snapshot, source),
    signedConfig: (snapshot) => repository.signedConfig(snapshot),
    entries: (snapshot, source, onGap) => repository.entries(snapshot, source, onGap),
    content: (snapshot, entry, options) => repository.content(snapshot, entry, options),
    close: () => repository.close(),
    ...own,
  };
}

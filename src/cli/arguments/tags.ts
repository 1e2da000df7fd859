import { tagsIn } from '../../support/tags.ts';

/** Gathers the words of `--tag`, which may be given several times; `a,b` are two, as they are for restic. */
export function tags(words: string, before: readonly string[] = []): string[] {
  return [...before, ...tagsIn(words)];
}

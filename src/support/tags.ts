/** The tags that `a,b` stands for, as it does for restic. */
export function tagsIn(words: string): string[] {
  return words.split(',').map((word) => word.trim());
}

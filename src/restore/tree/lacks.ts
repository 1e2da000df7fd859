/**
 * For telling what file systems here cannot hold: one sentence of each kind, however many files it is true of.
 * @param warnings is given the sentences, which go on counting where they stand
 */
export function lacksAmong(warnings: string[]): (path: string, what: string) => void {
  const tallies = new Map<string, { at: number; first: string; count: number }>();
  return (path, what) => {
    const tally = tallies.get(what) ?? { at: warnings.push('') - 1, first: path, count: 0 };
    tallies.set(what, tally);
    tally.count++;
    const who = tally.count === 1 ? tally.first : `${tally.first} and ${tally.count - 1} more`;
    warnings[tally.at] = `${who}: the file system here cannot hold ${what}`;
  };
}

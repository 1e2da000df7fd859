/**
 * For telling what cannot come back here: one sentence of each kind, however many files it is true of.
 * @param warnings is given the sentences, which go on counting where they stand
 */
export function lacksAmong(warnings: string[]): (path: string, why: string) => void {
  const tallies = new Map<string, { at: number; first: string; count: number }>();
  return (path, why) => {
    const tally = tallies.get(why) ?? { at: warnings.push('') - 1, first: path, count: 0 };
    tallies.set(why, tally);
    tally.count++;
    const who = tally.count === 1 ? tally.first : `${tally.first} and ${tally.count - 1} more`;
    warnings[tally.at] = `${who}: ${why}`;
  };
}

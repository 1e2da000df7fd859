import { readFileSync, writeFileSync } from 'node:fs';

/** Niceness of a session that weighs as little as one can. */
const least = 19;

/**
 * Lets this process's session weigh as little as one can beside others and beside containers, unless a terminal shares
 * it. Source: sched(7), "The autogroup feature".
 * @returns how to take it back: the script that started this process may go on to something else
 */
export function lightenSession(): () => void {
  const usual = hasTerminal() ? undefined : nicenessOfSession();
  if (usual === undefined) return () => {};
  weighSession(least);
  return () => weighSession(usual);
}

/** A session with a terminal may hold programs that somebody is waiting for. Source: proc(5), field 7 of stat. */
function hasTerminal(): boolean {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[4] !== '0';
}

/** `undefined` where sessions are not weighed. */
function nicenessOfSession(): number | undefined {
  try {
    const [, niceness] = /nice (-?\d+)/.exec(readFileSync('/proc/self/autogroup', 'latin1')) ?? [];
    return niceness === undefined ? undefined : Number(niceness);
  } catch {
    return undefined;
  }
}

function weighSession(niceness: number): void {
  try {
    writeFileSync('/proc/self/autogroup', String(niceness));
  } catch {
    // Not allowed: all goes on as before.
  }
}

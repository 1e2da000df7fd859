import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { libc } from './libc.ts';

const schedOther = 0;
const schedIdle = 5;

/** How often it is looked whether anything is left over, in milliseconds. */
const interval = 10_000;

/** Niceness of a session that weighs as little as one can. */
const least = 19;

/**
 * Lets everything else on this host go first: from now on this process, with all threads and programs it starts, has the processor when
 * nobody else wants it. Linux weighs the policy, as it does niceness, within one session only, and sessions and containers against
 * each other: so the session becomes light too, unless a terminal shares it. On a host where next to nothing is left over both are taken
 * back, for otherwise it might never end. Source: sched(7), "The autogroup feature".
 */
export function giveWay(): void {
  schedule(schedIdle);
  const usual = hasTerminal() ? undefined : nicenessOfSession();
  if (usual !== undefined) lighten(usual);
  let before = timesOfThreads();
  const timer = setInterval(() => {
    const now = timesOfThreads();
    if (isStarving(before, now)) {
      clearInterval(timer);
      schedule(schedOther);
      if (usual !== undefined) weighSession(usual);
    }
    before = now;
  }, interval);
  timer.unref();
}

/** What a thread had and what it waited for, in nanoseconds. */
export interface ProcessorTimes {
  ran: number;
  waited: number;
}

/** Whether between two moments the threads that lived through had less than a twentieth of the time that they wanted. */
export function isStarving(
  before: ReadonlyMap<string, ProcessorTimes>,
  now: ReadonlyMap<string, ProcessorTimes>,
): boolean {
  let [ran, waited] = [0, 0];
  for (const [thread, times] of now) {
    const earlier = before.get(thread);
    if (earlier === undefined) continue;
    ran += times.ran - earlier.ran;
    waited += times.waited - earlier.waited;
  }
  return waited > 19 * ran;
}

function schedule(policy: number): void {
  const priorityZero = Buffer.alloc(4);
  for (const thread of readdirSync('/proc/self/task'))
    libc().schedSetscheduler(Number(thread), policy, priorityZero); // Where it is refused all goes on as before.
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

/** Until this process ends: the script that started it may go on to something else. */
function lighten(usual: number): void {
  weighSession(least);
  process.once('exit', () => weighSession(usual));
}

function weighSession(niceness: number): void {
  try {
    writeFileSync('/proc/self/autogroup', String(niceness));
  } catch {
    // Not allowed: all goes on as before.
  }
}

/** Of the threads that live. Source: the kernel's Documentation/scheduler/sched-stats.rst. */
function timesOfThreads(): Map<string, ProcessorTimes> {
  const times = new Map<string, ProcessorTimes>();
  for (const thread of readdirSync('/proc/self/task')) {
    try {
      const text = readFileSync(`/proc/self/task/${thread}/schedstat`, 'latin1');
      const [ran = 0, waited = 0] = text.split(' ').map(Number);
      times.set(thread, { ran, waited });
    } catch {
      // It has ended meanwhile, or the kernel does not count.
    }
  }
  return times;
}

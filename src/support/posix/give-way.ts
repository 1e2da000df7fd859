import { readdirSync, readFileSync } from 'node:fs';
import { enterIdleGroup } from './idle-group.ts';
import { libc } from './libc.ts';
import { lightenSession } from './light-session.ts';

const schedOther = 0;
const schedIdle = 5;

/** How often it is looked whether anything is left over, in milliseconds. */
const interval = 10_000;

/**
 * Lets everything else on this host go first: from now on this process, with all threads and programs it starts, has
 * the processor when nobody else wants it. Linux weighs the policy, as it does niceness, within one control group or
 * session only, and these against each other: so the process goes into a group that gives way too, or where it may not
 * its session becomes light, unless a terminal shares it. On a host where next to nothing is left over all is taken
 * back, for otherwise it might never end. Source: sched(7).
 */
export function giveWay(): void {
  schedule(schedIdle);
  const comeBack = enterIdleGroup() ?? lightenSession();
  process.once('exit', comeBack);
  let before = timesOfThreads();
  const timer = setInterval(() => {
    const now = timesOfThreads();
    if (isStarving(before, now)) {
      clearInterval(timer);
      schedule(schedOther);
      comeBack();
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

/**
 * Whether between two moments the threads that lived through had less than a twentieth of the time that they wanted.
 */
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

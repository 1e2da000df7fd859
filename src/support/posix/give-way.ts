import { readdirSync } from 'node:fs';
import { libc } from './libc.ts';

const schedIdle = 5;

/**
 * Lets everything else on this host go first: from now on this process, with all threads and programs it starts, has the processor when
 * nobody else wants it. Niceness would not do: Linux weighs it within one session or control group only. Source: sched(7).
 */
export function giveWay(): void {
  const priorityZero = Buffer.alloc(4);
  for (const thread of readdirSync('/proc/self/task'))
    libc().schedSetscheduler(Number(thread), schedIdle, priorityZero); // Where it is refused all goes on as before.
}

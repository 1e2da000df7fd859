import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';

/**
 * From the first that the kernel has. Source: the kernel's Documentation/admin-guide/cgroup-v2.rst, "CPU"; cpu.shares
 * is the older version's.
 */
const settings = [
  ['cpu.idle', '1'],
  ['cpu.weight', '1'],
  ['cpu.shares', '2'],
] as const;

/**
 * Puts this process, with all threads and programs it starts, into a control group beside those of the containers that
 * has the processor when none of them wants it, and gives it up the moment one does. A scheduling policy cannot say
 * that: it counts within a group only. The group is removed by whoever leaves it last; one that a killed process left
 * is used again.
 *
 * @returns how to leave it; `undefined` where nothing was changed: somebody put this process in a group on purpose,
 * systemd manages the groups, they cannot be written to, or the kernel does not weigh them.
 */
export function enterIdleGroup(name = 'dockerctl-idle'): (() => void) | undefined {
  try {
    const all = groupsOfHost();
    if (all === undefined) return undefined;
    const group = `${all}/${name}`;
    mkdirSync(group, { recursive: true });
    if (weighLittle(group) && move(group)) return () => leave(group, all);
    remove(group);
  } catch {
    // No permission, or no /proc: all goes on as before.
  }
  return undefined;
}

/** Where the groups that share the processor are made; `undefined` unless this process is in none. */
function groupsOfHost(): string | undefined {
  if (existsSync('/run/systemd/system')) return undefined;
  const mounts = readFileSync('/proc/self/mountinfo', 'latin1');
  return processorGroups(mounts, readFileSync('/proc/self/cgroup', 'latin1'));
}

/**
 * @param mounts as in proc_pid_mountinfo(5)
 * @param memberships as in proc_pid_cgroup(5)
 * @returns the directory of all groups of the processor, where the process is in the topmost
 */
export function processorGroups(mounts: string, memberships: string): string | undefined {
  const isFirst = /^\d+:(?:[^:]*,)?cpu(?:,[^:]*)?:\/$/m.test(memberships);
  const isSecond = !/^\d+:(?:[^:]*,)?cpu(?:,[^:]*)?:/m.test(memberships) && /^0::\/$/m.test(memberships);
  if (!isFirst && !isSecond) return undefined;
  const type = isFirst ? / - cgroup \S+ (?:\S+,)?cpu(?:,|$)/ : / - cgroup2 /;
  const mount = mounts.split('\n').find((line) => type.test(line));
  return mount?.split(' ')[4];
}

function weighLittle(group: string): boolean {
  return settings.some(([file, value]) => existsSync(`${group}/${file}`) && write(`${group}/${file}`, value));
}

/** All threads of this process. */
function move(group: string): boolean {
  return write(`${group}/cgroup.procs`, String(process.pid));
}

function leave(group: string, all: string): void {
  move(all);
  remove(group);
}

/** Unless somebody is in it. */
function remove(group: string): void {
  try {
    rmdirSync(group);
  } catch {
    // The other one will.
  }
}

function write(file: string, value: string): boolean {
  try {
    writeFileSync(file, value);
    return true;
  } catch {
    return false;
  }
}

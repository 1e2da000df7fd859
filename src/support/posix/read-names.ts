import { check, libc } from './libc.ts';

/**
 * The names in an open directory but `.` and `..`, in no order, one character per byte. To be asked once for an opened
 * directory: it reads on from where the descriptor stands.
 */
export function readNames(directory: number): string[] {
  const names: string[] = [];
  for (let length = fill(directory); length > 0; length = fill(directory)) addNames(length, names);
  return names;
}

const entries = Buffer.alloc(64 * 1024);

/** Bytes of the next entries; 0 when there are no more. */
function fill(directory: number): number {
  return Number(check(libc().getdents64(getdentsCall(), directory, entries, entries.length), 'getdents64'));
}

/** A series of `struct linux_dirent64`, as getdents64(2) has it. */
function addNames(length: number, names: string[]): void {
  for (let at = 0; at < length; at += entries.readUInt16LE(at + lengthOffset)) {
    const from = at + nameOffset;
    const name = entries.toString('latin1', from, entries.indexOf(0, from));
    if (name !== '.' && name !== '..') names.push(name);
  }
}

const lengthOffset = 16;
const nameOffset = 19;

function getdentsCall(): number {
  return process.arch === 'arm64' ? 61 : 217;
}

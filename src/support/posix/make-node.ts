import { constants } from 'node:fs';
import { cString } from './byte-path.ts';
import { check, libc } from './libc.ts';
import { deviceNumber } from './stat.ts';

/** Creates a FIFO; `mode` is cut by the umask. */
export function makeFifoAt(directory: number, name: string, mode: number): void {
  check(libc().mkfifoat(directory, cString(name), mode), 'mkfifoat', name);
}

/** Creates a device node; needs the capability `MKNOD`. */
export function makeDeviceAt(
  directory: number,
  name: string,
  type: 'character' | 'block',
  mode: number,
  device: { major: number; minor: number },
): void {
  const kind = type === 'block' ? constants.S_IFBLK : constants.S_IFCHR;
  const number = deviceNumber(device.major, device.minor);
  check(libc().mknodat(mknodatCall(), directory, cString(name), kind | mode, number), 'mknodat', name);
}

function mknodatCall(): number {
  return process.arch === 'arm64' ? 33 : 259;
}

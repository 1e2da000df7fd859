import { cString, secondCString } from './byte-path.ts';
import { check, lastError, libc } from './libc.ts';

/**
 * Extended attributes: POSIX ACLs (`system.posix_acl_*`), capabilities (`security.capability`), `user.*`, `trusted.*`.
 * A file is an open descriptor, or a path whose last component is not followed. Names are one character per byte.
 */
export type XattrFile = number | string;

/** The names, sorted; empty where the file system has no attributes. */
export function listXattrs(file: XattrFile): string[] {
  const length = measured(file, 'listxattr', (buffer) =>
    typeof file === 'number'
      ? libc().flistxattr(file, buffer, buffer.length)
      : libc().llistxattr(cString(file), buffer, buffer.length),
  );
  if (length <= 0) return [];
  return scratch
    .toString('latin1', 0, length - 1)
    .split('\0')
    .sort();
}

/** All attributes by their names; `undefined` when there are none. */
export function readXattrs(file: XattrFile): Record<string, Uint8Array> | undefined {
  const names = listXattrs(file);
  if (names.length === 0) return undefined;
  const found: Record<string, Uint8Array> = {};
  for (const name of names) {
    const value = getXattr(file, name);
    if (value !== undefined) found[name] = value;
  }
  return Object.keys(found).length === 0 ? undefined : found;
}

/** The value, or `undefined` when there is no such attribute (any more). */
export function getXattr(file: XattrFile, name: string): Uint8Array | undefined {
  const length = measured(file, 'getxattr', (buffer) =>
    typeof file === 'number'
      ? libc().fgetxattr(file, secondCString(name), buffer, buffer.length)
      : libc().lgetxattr(cString(file), secondCString(name), buffer, buffer.length),
  );
  return length < 0 ? undefined : Uint8Array.from(scratch.subarray(0, length));
}

/** Sets or replaces an attribute; of a path, of a link itself. Throws what the system says. */
export function setXattr(file: XattrFile, name: string, value: Uint8Array): void {
  const result =
    typeof file === 'number'
      ? libc().fsetxattr(file, secondCString(name), value, value.length, 0)
      : libc().lsetxattr(cString(file), secondCString(name), value, value.length, 0);
  check(result, 'setxattr', shown(file));
}

/** Removes an attribute; of a path, of a link itself. Throws what the system says, also when there is none. */
export function removeXattr(file: XattrFile, name: string): void {
  const result =
    typeof file === 'number'
      ? libc().fremovexattr(file, secondCString(name))
      : libc().lremovexattr(cString(file), secondCString(name));
  check(result, 'removexattr', shown(file));
}

/** The kernel's own limit for a list and for a value (XATTR_LIST_MAX, XATTR_SIZE_MAX). */
const scratch = Buffer.alloc(65536);

/** -1 when there is nothing, or the file system cannot have any. */
function measured(file: XattrFile, syscall: string, call: (buffer: Buffer) => number): number {
  const length = call(scratch);
  if (length >= 0) return Number(length);
  const error = lastError(syscall, shown(file));
  if (error.code === 'ENODATA' || error.code === 'ENOTSUP') return -1;
  throw error;
}

function shown(file: XattrFile): string | undefined {
  return typeof file === 'string' ? file : undefined;
}

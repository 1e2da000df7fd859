import { createRequire } from 'node:module';
import { getSystemErrorMessage, getSystemErrorName } from 'node:util';
import type koffi from 'koffi';

/**
 * The functions of the C library that node does not offer. Loaded on first use: start-up does not pay for it.
 * Paths are pointers to NUL-terminated bytes (`byte-path.ts`); structures are filled into buffers and read by offset.
 */
export function libc(): Libc {
  loaded ??= load();
  return loaded;
}

let loaded: Libc | undefined;
let library: typeof koffi | undefined;

type Pointer = Uint8Array | null;

export interface Libc {
  statx(directory: number, path: Pointer, flags: number, mask: number, result: Pointer): number;
  close(file: number): number;
  openat(directory: number, path: Pointer, flags: number, mode: number): number;
  readlinkat(directory: number, path: Pointer, target: Pointer, size: number): number;
  utimensat(directory: number, path: Pointer, times: Pointer, flags: number): number;
  fchownat(directory: number, path: Pointer, uid: number, gid: number, flags: number): number;
  mkfifoat(directory: number, path: Pointer, mode: number): number;
  renameat2(oldDirectory: number, old: Pointer, newDirectory: number, path: Pointer, flags: number): number;
  lseek(file: number, offset: number, whence: number): number;
  flock(file: number, operation: number): number;
  mallopt(parameter: number, value: number): number;
  mallocTrim(padding: number): number;
  madvise(address: number, length: number, advice: number): number;
  schedSetscheduler(thread: number, policy: number, parameters: Pointer): number;
  posixFadvise(file: number, offset: number, length: number, advice: number): number;
  syncFileRange(file: number, offset: number, length: number, flags: number): number;
  /** Waits for the disk: to be called off the main thread. */
  syncfs: { async(file: number, done: (error: unknown, result: number) => void): void };
  llistxattr(path: Pointer, list: Pointer, size: number): number;
  flistxattr(file: number, list: Pointer, size: number): number;
  lgetxattr(path: Pointer, name: Pointer, value: Pointer, size: number): number;
  fgetxattr(file: number, name: Pointer, value: Pointer, size: number): number;
  lsetxattr(path: Pointer, name: Pointer, value: Pointer, size: number, flags: number): number;
  fsetxattr(file: number, name: Pointer, value: Pointer, size: number, flags: number): number;
  lremovexattr(path: Pointer, name: Pointer): number;
  fremovexattr(file: number, name: Pointer): number;
  /** By number: it has a symbol of its own only since glibc 2.30. */
  getdents64(call: number, directory: number, entries: Pointer, size: number): number;
  /** By number: `mknodat` has a symbol of its own only since glibc 2.33. */
  mknodat(call: number, directory: number, path: Pointer, mode: number, device: number): number;
}

/** x86-64 and arm64 Linux are LP64: `long`, `ssize_t` and `off_t` are 64 bits wide. */
function load(): Libc {
  library = nativeKoffi();
  const c = library.load('libc.so.6');
  return {
    statx: c.func('int statx(int, void *, int, unsigned int, void *)'),
    close: c.func('int close(int)'),
    openat: c.func('int openat(int, void *, int, unsigned int)'),
    readlinkat: c.func('int64_t readlinkat(int, void *, void *, uint64_t)'),
    utimensat: c.func('int utimensat(int, void *, void *, int)'),
    fchownat: c.func('int fchownat(int, void *, unsigned int, unsigned int, int)'),
    mkfifoat: c.func('int mkfifoat(int, void *, unsigned int)'),
    renameat2: c.func('int renameat2(int, void *, int, void *, unsigned int)'),
    lseek: c.func('int64_t lseek(int, int64_t, int)'),
    flock: c.func('int flock(int, int)'),
    mallopt: c.func('int mallopt(int, int)'),
    mallocTrim: c.func('int malloc_trim(uint64_t)'),
    madvise: c.func('int madvise(uint64_t, uint64_t, int)'),
    schedSetscheduler: c.func('int sched_setscheduler(int, int, void *)'),
    posixFadvise: c.func('int posix_fadvise(int, int64_t, int64_t, int)'),
    syncFileRange: c.func('int sync_file_range(int, int64_t, int64_t, unsigned int)'),
    syncfs: c.func('int syncfs(int)'),
    llistxattr: c.func('int64_t llistxattr(void *, void *, uint64_t)'),
    flistxattr: c.func('int64_t flistxattr(int, void *, uint64_t)'),
    lgetxattr: c.func('int64_t lgetxattr(void *, void *, void *, uint64_t)'),
    fgetxattr: c.func('int64_t fgetxattr(int, void *, void *, uint64_t)'),
    lsetxattr: c.func('int lsetxattr(void *, void *, void *, uint64_t, int)'),
    fsetxattr: c.func('int fsetxattr(int, void *, void *, uint64_t, int)'),
    lremovexattr: c.func('int lremovexattr(void *, void *)'),
    fremovexattr: c.func('int fremovexattr(int, void *)'),
    getdents64: c.func('int64_t syscall(int64_t, int, void *, uint64_t)'),
    mknodat: c.func('int64_t syscall(int64_t, int, void *, unsigned int, unsigned int)'),
  };
}

/**
 * Of the package only the part that does the work, from where npm puts it. What it is wrapped in looks for the right
 * one of many platforms, which takes longer than all the rest of loading it, in every thread.
 */
function nativeKoffi(): typeof koffi {
  const load = createRequire(import.meta.url);
  try {
    return load(`@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`) as typeof koffi;
  } catch {
    return load('koffi') as typeof koffi;
  }
}

/** A failed call, in the shape of node's own file system errors. */
export interface PosixError extends Error {
  /** `ENOENT`, `EPERM`, … */
  code: string;
  /** Negative, as node has it. */
  errno: number;
  syscall: string;
  /** One character per byte, as it was given. */
  path?: string;
}

/** The error of the call that has just failed. Ask at once: the next call overwrites it. */
export function lastError(syscall: string, path?: string): PosixError {
  return posixError(-(library?.errno() ?? 0), syscall, path);
}

/** @param errno negative, as node has it */
export function posixError(errno: number, syscall: string, path?: string): PosixError {
  const code = getSystemErrorName(errno);
  const shown = path === undefined ? '' : ` '${Buffer.from(path, 'latin1').toString()}'`;
  const error = new Error(`${code}: ${getSystemErrorMessage(errno)}, ${syscall}${shown}`);
  return Object.assign(error, { code, errno, syscall, ...(path !== undefined && { path }) });
}

/** Throws unless the call returned something else than -1. */
export function check(result: number, syscall: string, path?: string): number {
  if (result < 0) throw lastError(syscall, path);
  return result;
}

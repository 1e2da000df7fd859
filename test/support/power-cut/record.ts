import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { needProgram } from '../debian-program.ts';

/** A file operation that a real process made, in the order in which they took effect. */
export type Operation =
  | { call: 'open'; file: number; path: string; create: boolean; truncate: boolean }
  | { call: 'write'; file: number; bytes: Buffer; offset: number | undefined }
  | { call: 'truncate'; file: number; length: number }
  | { call: 'sync'; file: number }
  | { call: 'close'; file: number }
  | { call: 'rename'; from: string; to: string }
  | { call: 'unlink'; path: string }
  | { call: 'mkdir'; path: string };

const traced =
  'openat,open,creat,write,pwrite64,ftruncate,fsync,fdatasync,close,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat';
/**
 * Ways to change a file that the model does not know: a recording with one of them would be wrong. `sync_file_range` is
 * none: it promises nothing, so that the model may pass over it.
 */
const refused =
  'writev,pwritev,pwritev2,truncate,fallocate,link,linkat,copy_file_range,sendfile,io_uring_enter';

/** Runs a command under strace; its operations on files whose path begins with `root`. */
export function record(command: readonly string[], root: string, scratch: string): Operation[] {
  needProgram('strace');
  const log = join(scratch, 'strace.log');
  const options = [
    '-f',
    '-qq',
    '-xx',
    '-s',
    '100000000',
    '-o',
    log,
    '-e',
    `trace=${traced},${refused}`,
    '-e',
    'signal=none',
  ];
  execFileSync('strace', [...options, ...command], {
    env: { ...process.env, UV_USE_IO_URING: '0' },
    stdio: 'ignore',
  });
  return parse(readFileSync(log, 'latin1'), root);
}

interface Call {
  name: string;
  args: string;
  result: number;
}

/** What a log of strace, of every thread and in hexadecimal digits, tells of files whose path begins with `root`. */
export function parse(log: string, root: string): Operation[] {
  const operations: Operation[] = [];
  /** Descriptors of files under `root`. */
  const open = new Set<number>();
  for (const call of calls(log)) {
    const operation = call.result < 0 ? undefined : decode(call, open, root);
    if (operation !== undefined) operations.push(operation);
  }
  return operations;
}

/**
 * Calls in the order they returned: those of other threads come in between a call's two halves. But for closing: from
 * its first half on another thread may get the same number for another file.
 */
function* calls(log: string): Generator<Call> {
  const unfinished = new Map<string, string>();
  for (const line of log.split('\n')) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const [, first] = /^(.*) <unfinished \.\.\.>$/.exec(rest) ?? [];
    if (first !== undefined) {
      const [, closed] = /^close\((\d+)/.exec(first) ?? [];
      if (closed === undefined) unfinished.set(thread, first);
      else yield { name: 'close', args: closed, result: 0 };
      continue;
    }
    const [, resumed] = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest) ?? [];
    const half = resumed === undefined ? undefined : unfinished.get(thread);
    unfinished.delete(thread);
    const [, name, args, result] =
      /^(\w+)\((.*)\) += (-?\d+)/.exec(half === undefined ? rest : half + resumed) ?? [];
    if (name !== undefined) yield { name, args: args!, result: Number(result) };
  }
}

function decode({ name, args, result }: Call, open: Set<number>, root: string): Operation | undefined {
  const paths = [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex]) => unhex(hex!));
  const file = Number.parseInt(args, 10);
  const isOurs = (path: string | undefined) => path?.startsWith(root) === true;
  if (refused.split(',').includes(name)) {
    if (open.has(file) || paths.some((path) => isOurs(path.toString('latin1'))))
      throw new Error(`${name} is not modelled`);
    return undefined;
  }
  const [path, second] = paths.map((bytes) => bytes.toString('latin1'));
  switch (name) {
    case 'open':
    case 'creat':
    case 'openat':
      open.delete(result);
      if (!isOurs(path)) return undefined;
      open.add(result);
      return {
        call: 'open',
        file: result,
        path: path!,
        create: /O_CREAT/.test(args),
        truncate: /O_TRUNC/.test(args),
      };
    case 'rename':
    case 'renameat':
    case 'renameat2':
      return isOurs(path) || isOurs(second) ? { call: 'rename', from: path!, to: second! } : undefined;
    case 'unlink':
    case 'unlinkat':
    case 'rmdir':
      return isOurs(path) ? { call: 'unlink', path: path! } : undefined;
    case 'mkdir':
    case 'mkdirat':
      return isOurs(path) ? { call: 'mkdir', path: path! } : undefined;
  }
  if (!open.has(file)) return undefined;
  switch (name) {
    case 'write':
      return { call: 'write', file, bytes: paths[0]!.subarray(0, result), offset: undefined };
    case 'pwrite64':
      return { call: 'write', file, bytes: paths[0]!.subarray(0, result), offset: lastNumber(args) };
    case 'ftruncate':
      return { call: 'truncate', file, length: lastNumber(args) };
    case 'fsync':
    case 'fdatasync':
      return { call: 'sync', file };
    default:
      open.delete(file);
      return { call: 'close', file };
  }
}

function lastNumber(args: string): number {
  return Number(args.slice(args.lastIndexOf(',') + 1));
}

function unhex(escaped: string): Buffer {
  return Buffer.from(escaped.replaceAll('\\x', ''), 'hex');
}

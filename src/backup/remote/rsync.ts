import { describeExit, startChild } from '../../support/child.ts';
import { codeOf, FailedError } from '../../support/errors.ts';
import { linesOf } from '../../support/lines.ts';
import { type RemoteAddress, renderRemoteAddress } from './address.ts';
import { sshByHand, sshProgram } from './ssh.ts';

/** What rsync says it could not do because a file or directory is not there. Source: rsync(1), EXIT VALUES. */
const partial = 23;

export interface RsyncFile {
  path: string;
  size: number;
}

/**
 * Everything below the address; `undefined` when there is nothing.
 * @throws {FailedError} when rsync is missing on either side, or cannot connect
 */
export async function listRemote(
  address: RemoteAddress,
  signal: AbortSignal,
): Promise<RsyncFile[] | undefined> {
  const files: RsyncFile[] = [];
  const args = ['-r', '--list-only', '--no-h', `${remotePath(address)}/`];
  const there = await rsync(args, address, {
    signal,
    onLine: (line) => void files.push(...parseListed(line)),
  });
  return there ? files : undefined;
}

/**
 * Copies files between here and there, all that are named; each appears under its name when it is whole.
 * @param files relative to the source; all of it when left out
 * @returns whether the source was there
 */
export async function copyByRsync(
  {
    from,
    to,
    address,
    files,
  }: { from: string; to: string; address: RemoteAddress; files?: readonly string[] },
  { signal, onFile }: { signal: AbortSignal; onFile?: (size: number) => void },
): Promise<boolean> {
  const list = files === undefined ? [] : ['--files-from=-', '--relative'];
  const modes = ['--perms', '--chmod=D700,F600'];
  return rsync([...list, ...modes, '--ignore-times', '--out-format=%l', from, to], address, {
    signal,
    input: files?.map((file) => `${file}\n`).join(''),
    onLine: (line) => onFile?.(Number(line) || 0),
  });
}

/** How rsync is told of a place on another host. */
export function remotePath(address: RemoteAddress): string {
  return renderRemoteAddress({ ...address, path: address.path.replace(/\/+$/, '') || '/' });
}

async function rsync(
  args: readonly string[],
  address: RemoteAddress,
  { signal, input, onLine }: { signal: AbortSignal; input?: string | undefined; onLine(line: string): void },
): Promise<boolean> {
  const command = ['rsync', '--protect-args', '--rsh', sshProgram(address.port).join(' '), ...args];
  const child = startChild(command, { signal });
  child.stdin.end(input);
  for await (const line of linesOf(child.stdout, 'latin1')) onLine(line);
  const exit = await child.exited.catch((cause: unknown) => {
    if (codeOf((cause as Error).cause) !== 'ENOENT') throw cause;
    throw missing(address, 'here', cause);
  });
  signal.throwIfAborted();
  if (exit.code === 0) return true;
  const said = exit.stderr.trim();
  if (exit.code === partial && /No such file or directory/.test(said)) return false;
  if (exit.code === 127 || /rsync: .*not found|remote command not found/.test(said))
    throw missing(address, 'there', undefined);
  const reason = reasonIn(said) || describeExit(exit);
  throw new FailedError(`rsync with ${renderRemoteAddress(address)}: ${reason}`, {
    advice: /\bmkdir .* failed: No such file/.test(reason)
      ? 'Make the directory above it there first'
      : `Try: ${sshByHand(address, 'rsync --version')}`,
    facts: { host: address.host, exit: exit.code, stderr: said },
  });
}

/** What rsync itself says is wrong; else what ssh, or a shell over there, does. */
function reasonIn(said: string): string | undefined {
  const lines = said.split('\n').filter((line) => !line.startsWith('rsync error:'));
  return lines.find((line) => line.startsWith('rsync: ')) ?? lines[0];
}

function missing(address: RemoteAddress, where: 'here' | 'there', cause: unknown): FailedError {
  return new FailedError(
    `sending to ${renderRemoteAddress(address)}: dockerctl is not installed there, and rsync is not ${where}`,
    { advice: 'Install either, or carry the snapshot with dockerctl backup export', cause },
  );
}

/** `-rw-------        1234 2026/01/31 02:00:00 blobs/sha256/…`; links and directories of no size are of no interest. */
function parseListed(line: string): RsyncFile[] {
  const [, size, path] = /^\S{10}\s+([\d.,]+)\s+\S+\s+\S+\s(.*)$/.exec(line) ?? [];
  return path === undefined || path === '.' ? [] : [{ path, size: Number(size?.replace(/\D/g, '')) }];
}

import { ConnectionError } from '../../repository/carry/messages.ts';
import { removeAt, type SendReport, sendSnapshot } from '../../repository/carry/send.ts';
import type { Outgoing, RemovalReport } from '../../repository/repository.ts';
import { shortId } from '../../repository/snapshot/short-id.ts';
import { type Child, describeExit, startChild } from '../../support/child.ts';
import type { Context } from '../../support/context.ts';
import { DockerctlError, FailedError, InterruptedError } from '../../support/errors.ts';
import { type RemoteAddress, renderRemoteAddress } from './address.ts';
import { sshCommand } from './ssh.ts';

/**
 * Sends a snapshot to a repository on another host: what is missing there, to `dockerctl backup receive`, over ssh. A
 * connection that breaks leaves that repository whole, and what has arrived is not sent again.
 *
 * @throws {FailedError} when ssh cannot connect or breaks off. @throws whatever goes wrong over there, as the same class
 */
export async function sendToHost(
  outgoing: Outgoing,
  address: RemoteAddress,
  context: Context,
): Promise<SendReport> {
  const doing = `sending snapshot ${shortId(outgoing.snapshot.id)}`;
  return talkTo(address, doing, context, (receiver) => sendSnapshot(outgoing, receiver, context));
}

/** Removes snapshots from a repository on another host, which one that only lets itself be added to refuses. */
export async function removeAtHost(
  names: readonly string[],
  address: RemoteAddress,
  context: Context,
): Promise<RemovalReport> {
  return talkTo(address, 'removing snapshots', context, (receiver) => removeAt(names, receiver));
}

async function talkTo<T>(
  address: RemoteAddress,
  doing: string,
  { signal }: Context,
  talk: (receiver: Child) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const command = sshCommand(address, ['dockerctl', 'backup', 'receive', address.path]);
  const receiver = startChild(command, { signal: AbortSignal.any([signal, stop.signal]) });
  try {
    const result = await talk(receiver);
    receiver.stdin.end();
    await requireGoodEnd(receiver, doing, address);
    return result;
  } catch (error) {
    if (signal.aborted)
      throw new InterruptedError(`${doing}: interrupted; what has arrived is not sent again`);
    if (error instanceof ConnectionError) await requireGoodEnd(receiver, doing, address);
    throw atHost(error, doing, address);
  } finally {
    stop.abort();
  }
}

/** What ssh, or the shell over there, printed says more than that the connection ended. */
async function requireGoodEnd(
  { stdin, stdout, exited }: Child,
  doing: string,
  address: RemoteAddress,
): Promise<void> {
  stdin.end();
  stdout.resume();
  const exit = await exited;
  if (exit.code === 0) return;
  const said = exit.stderr.trim().split('\n').at(-1);
  const isMissing = exit.code === 127;
  throw new FailedError(
    `${doing} to ${renderRemoteAddress(address)}: ${isMissing ? 'dockerctl is not installed there' : said || describeExit(exit)}`,
    {
      advice: isMissing
        ? 'Install it there, or carry the snapshot with dockerctl backup export'
        : `Try: ssh ${address.host} dockerctl --version`,
      facts: { host: address.host, exit: exit.code },
    },
  );
}

function atHost(error: unknown, doing: string, address: RemoteAddress): unknown {
  if (!(error instanceof DockerctlError)) return error;
  const { advice, facts } = error;
  const type = error.constructor as new (
    ...args: ConstructorParameters<typeof FailedError>
  ) => DockerctlError;
  return new type(`${doing} to ${renderRemoteAddress(address)}: ${error.message}`, {
    ...(advice !== undefined && { advice }),
    facts,
    cause: error,
  });
}

import { ConnectionError } from '../../repository/carry/messages.ts';
import type { Outgoing } from '../../repository/carry/outgoing.ts';
import { removeAt, type SendReport, sendSnapshot } from '../../repository/carry/send.ts';
import type { RemovalReport } from '../../repository/repository.ts';
import { shortId } from '../../repository/snapshot/short-id.ts';
import { type Child, startChild } from '../../support/child.ts';
import type { Context } from '../../support/context.ts';
import { DockerctlError, FailedError, InterruptedError } from '../../support/errors.ts';
import { type RemoteAddress, renderRemoteAddress } from './address.ts';
import { brokenOff } from './broken-off.ts';
import { sendByRsync } from './send-by-rsync.ts';
import { sshCommand } from './ssh.ts';

/**
 * Sends a snapshot to a repository on another host: what is missing there, to `dockerctl backup receive`, over ssh; by
 * rsync where dockerctl is not installed. A connection that breaks leaves that repository whole, and what has arrived
 * is not sent again.
 *
 * @throws {FailedError} when ssh cannot connect or breaks off.
 * @throws whatever goes wrong over there, as the same class
 */
export async function sendToHost(
  outgoing: Outgoing,
  address: RemoteAddress,
  context: Context,
): Promise<SendReport> {
  const doing = `sending snapshot ${shortId(outgoing.snapshot.id)}`;
  try {
    return await talkTo(address, doing, context, (receiver) => sendSnapshot(outgoing, receiver, context));
  } catch (error) {
    if (!(error instanceof NotInstalledError)) throw error;
    return await sendByRsync(outgoing, address, context).catch((cause: unknown) => {
      throw context.signal.aborted ? interrupted(doing) : cause;
    });
  }
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
    if (signal.aborted) throw interrupted(doing);
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
  const facts = { host: address.host, exit: exit.code };
  if (exit.code === 127) {
    throw new NotInstalledError(
      `${doing} to ${renderRemoteAddress(address)}: dockerctl is not installed there`,
      {
        advice: 'Install it there, or do it on that host',
        facts,
      },
    );
  }
  const { reason, advice } = brokenOff(exit, address);
  throw new FailedError(`${doing} to ${renderRemoteAddress(address)}: ${reason}`, { advice, facts });
}

class NotInstalledError extends FailedError {}

function interrupted(doing: string): InterruptedError {
  return new InterruptedError(`${doing}: interrupted; what has arrived is not sent again`);
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

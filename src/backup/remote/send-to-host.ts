import { ConnectionError } from '../../repository/carry/messages.ts';
import type { Outgoing } from '../../repository/carry/outgoing.ts';
import { removeAt, type SendReport, sendSnapshot } from '../../repository/carry/send.ts';
import type { RemovalReport } from '../../repository/repository.ts';
import { shortId } from '../../repository/snapshot/short-id.ts';
import { type Child, startChild } from '../../support/child.ts';
import type { Context } from '../../support/context.ts';
import { DockerctlError, FailedError, InterruptedError } from '../../support/errors.ts';
import { refusedBySystem } from '../../support/refused-by-system.ts';
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
  const errand = {
    doing: `sending snapshot ${shortId(outgoing.snapshot.id)} to ${renderRemoteAddress(address)}`,
    afterAll: 'what has arrived is not sent again',
    again: 'Nothing is lost, and what has arrived is not sent again: run it once more for the rest',
  };
  try {
    return await talkTo(address, errand, context, (receiver) => sendSnapshot(outgoing, receiver, context));
  } catch (error) {
    if (!(error instanceof NotInstalledError)) throw error;
    return await sendByRsync(outgoing, address, context).catch((cause: unknown) => {
      throw context.signal.aborted ? interrupted(errand) : refusedHere(cause, errand);
    });
  }
}

/** Removes snapshots from a repository on another host, which one that only lets itself be added to refuses. */
export async function removeAtHost(
  names: readonly string[],
  address: RemoteAddress,
  context: Context,
): Promise<RemovalReport> {
  const errand = {
    doing: `removing snapshots from ${renderRemoteAddress(address)}`,
    afterAll: 'dockerctl backup list there tells what is left',
    again: 'See with dockerctl backup list there what is left, and run it once more',
  };
  return talkTo(address, errand, context, (receiver) => removeAt(names, receiver));
}

/** What the other host is asked for, as errors shall tell of it. */
interface Errand {
  doing: string;
  /** How things stand when it was interrupted, and what to do next when the line broke. */
  afterAll: string;
  again: string;
}

async function talkTo<T>(
  address: RemoteAddress,
  errand: Errand,
  { signal }: Context,
  talk: (receiver: Child) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const command = sshCommand(address, ['dockerctl', 'backup', 'receive', address.path]);
  const receiver = startChild(command, { signal: AbortSignal.any([signal, stop.signal]) });
  try {
    const result = await talk(receiver);
    receiver.stdin.end();
    await requireGoodEnd(receiver, errand, address);
    return result;
  } catch (error) {
    if (signal.aborted) throw interrupted(errand);
    if (error instanceof ConnectionError) await requireGoodEnd(receiver, errand, address);
    throw atHost(error, errand);
  } finally {
    stop.abort();
  }
}

/** What ssh, or the shell over there, printed says more than that the connection ended. */
async function requireGoodEnd(
  { stdin, stdout, exited }: Child,
  { doing, again }: Errand,
  address: RemoteAddress,
): Promise<void> {
  stdin.end();
  stdout.resume();
  const exit = await exited;
  if (exit.code === 0) return;
  const facts = { host: address.host, exit: exit.code };
  if (exit.code === 127) {
    throw new NotInstalledError(`${doing}: dockerctl is not installed there`, {
      advice: 'Install it there, or do it on that host',
      facts,
    });
  }
  const { reason, advice } = brokenOff(exit, address, again);
  throw new FailedError(`${doing}: ${reason}`, { advice, facts });
}

class NotInstalledError extends FailedError {}

function interrupted({ doing, afterAll }: Errand): InterruptedError {
  return new InterruptedError(`${doing}: interrupted; ${afterAll}`);
}

function atHost(error: unknown, errand: Errand): unknown {
  const { doing } = errand;
  if (!(error instanceof DockerctlError)) return refusedHere(error, errand);
  const { advice, facts } = error;
  const type = error.constructor as new (
    ...args: ConstructorParameters<typeof FailedError>
  ) => DockerctlError;
  return new type(`${doing}: ${error.message}`, {
    ...(advice !== undefined && { advice }),
    facts,
    cause: error,
  });
}

/** By the system of this host, where rsync's lists lie among the temporary files. */
function refusedHere(cause: unknown, { doing }: Errand): unknown {
  return refusedBySystem(`${doing}: here`, cause, 'Make room here, or name another directory with TMPDIR');
}

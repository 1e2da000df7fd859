import { constants } from 'node:os';
import { type ChildExit, describeExit } from '../../support/child.ts';
import type { RemoteAddress } from './address.ts';
import { sshByHand } from './ssh.ts';

/** What ssh says of a line that was there and is no more. Source: OpenSSH's clientloop.c and packet.c. */
const lineLost =
  /^(client_loop: |Timeout, server |Read from remote host |Connection to .* closed by remote host)/;

/**
 * Why a program on another host did not come to its end, in words, and what to do next. A shell over there tells of a
 * signal with 128 and its number; where that had no shell, or was killed with it, ssh ends with 255 and says nothing.
 * @param goesOn what to do next where nothing but the line was wrong
 */
export function brokenOff(
  { code, signal, timedOut, stderr }: ChildExit,
  address: RemoteAddress,
  goesOn: string,
): { reason: string; advice: string } {
  const said = stderr.trim().split('\n').at(-1) ?? '';
  if (code === undefined) return { reason: `ssh was killed here (${signal})`, advice: goesOn };
  if (code > 128 && code < 255)
    return { reason: `the receiver there was killed (${nameOf(code - 128)})`, advice: goesOn };
  if (code === 255 && said === '')
    return { reason: 'the connection was lost, or the receiver there was killed', advice: goesOn };
  if (lineLost.test(said)) return { reason: said, advice: goesOn };
  return {
    reason: said || describeExit({ code, signal, timedOut }),
    advice: `Try: ${sshByHand(address, 'dockerctl --version')}`,
  };
}

function nameOf(signal: number): string {
  const found = Object.entries(constants.signals).find(([, number]) => number === signal);
  return found?.[0] ?? `signal ${signal}`;
}

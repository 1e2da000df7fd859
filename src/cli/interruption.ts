import { InterruptedError } from '../support/errors.ts';
import { exitCodes } from './exit-codes.ts';

export interface Interruption {
  /** Aborted when the command is to end. */
  signal: AbortSignal;
  /** What it exits with then. */
  status(): number;
  /** What the operator is to hear of instead of what was thrown, if that only tells that the signal was heard. */
  explain(thrown: unknown): unknown;
  stopListening(): void;
}

/**
 * Milliseconds in which a second signal is the first one again: `timeout` sends it to a process and to its group as
 * well.
 */
const echo = 200;

/**
 * Ctrl-C, TERM and a terminal that closes ask the work to stop and restore its state. Asked once more the command
 * leaves at once, for what it waits for may never answer; whatever it leaves then, the next one finds as after a kill.
 * It leaves by the signal itself: exiting would first stop threads, which at some moments ends in an abort.
 * @param ignoresHangup started by nohup, so that it outlives its terminal
 */
export function listenForInterruption({ ignoresHangup }: { ignoresHangup: boolean }): Interruption {
  const controller = new AbortController();
  let status: number = exitCodes.interrupted;
  let asked = 0;
  const ask = (name: 'SIGINT' | 'SIGTERM', exit: number, words: string) => () => {
    if (!controller.signal.aborted) {
      status = exit;
      asked = performance.now();
      controller.abort(new InterruptedError(words));
    } else if (performance.now() - asked > echo) {
      stopListening();
      process.kill(process.pid, name);
    }
  };
  const terminate = ask('SIGTERM', exitCodes.terminated, 'terminated');
  const handlers = {
    SIGINT: ask('SIGINT', exitCodes.interrupted, 'interrupted'),
    SIGTERM: terminate,
    SIGHUP: ignoresHangup ? () => {} : terminate,
  };
  for (const [name, handler] of Object.entries(handlers)) process.on(name, handler);
  const stopListening = (): void => {
    for (const [name, handler] of Object.entries(handlers)) process.off(name, handler);
  };
  const { signal } = controller;
  const isEcho = (thrown: unknown) =>
    thrown instanceof Error && thrown.name === 'AbortError' && signal.aborted;
  const explain = (thrown: unknown) => (isEcho(thrown) ? signal.reason : thrown);
  return { signal, status: () => status, explain, stopListening };
}

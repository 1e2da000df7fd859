import { setFlagsFromString } from 'node:v8';

/**
 * Makes the garbage collector of every thread clean up early instead of letting the heap grow: for work that makes a
 * great many short-lived objects, and whose memory is to be spared. It takes about a tenth more time.
 */
export function keepHeapsSmall(): void {
  setFlagsFromString('--optimize-for-size');
}

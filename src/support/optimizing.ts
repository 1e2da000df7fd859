import { setFlagsFromString } from 'node:v8';

/**
 * Leaves the last step of V8's compiling out until `optimizeFully`. While it works on a function it holds up to 6 MB, and
 * its code some more; what is done after half a second has little of it: a night on which nothing changed takes the same
 * processor time without.
 */
export function optimizeLittle(): void {
  setFlagsFromString('--force-emit-interrupt-budget-checks'); // Code made meanwhile would never be made anew.
  setFlagsFromString('--no-turbofan');
}

/** What takes long, or searches all content for cuts, wants code as fast as can be. All is as it was before. */
export function optimizeFully(): void {
  setFlagsFromString('--turbofan');
  setFlagsFromString('--no-force-emit-interrupt-budget-checks');
}

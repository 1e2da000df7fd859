import { setFlagsFromString } from 'node:v8';

/** What is done after so many milliseconds gains next to nothing by the last step of V8's compiling. */
const soon = 2000;

/**
 * Leaves that step out until `optimizeFully`, or until it turns out that there is more to do. While it works on a function
 * it holds up to 6 MB, and its code some more; a night on which nothing changed takes the same processor time without.
 */
export function optimizeLittle(): void {
  setFlagsFromString('--force-emit-interrupt-budget-checks'); // Code made meanwhile would never be made anew.
  setFlagsFromString('--no-turbofan');
  setTimeout(optimizeFully, soon).unref();
}

/** What takes long, or searches all content for cuts, wants code as fast as can be. All is as it was before. */
export function optimizeFully(): void {
  setFlagsFromString('--turbofan');
  setFlagsFromString('--no-force-emit-interrupt-budget-checks');
}

import { setFlagsFromString } from 'node:v8';

/**
 * Lets the heap grow to five times what was in use after the last collection. A program that moves large buffers has a
 * heap of a few megabytes and would be collected for every dozen of them that pass: a tenth of the time that saving
 * images takes, a twentieth of loading them.
 */
export function collectRarely(): void {
  setFlagsFromString('--heap-growing-percent=400');
}

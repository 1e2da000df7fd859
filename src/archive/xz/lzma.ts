import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * lzma-native, as we build it when we package (`scripts/build-lzma.ts`): the binary in its own package holds a liblzma
 * that was compiled without optimisation. Where ours is missing, or does not fit the host's libc, theirs serves.
 */
export function loadLzma<T>(): T {
  const require = createRequire(import.meta.url);
  const [optimised] = places
    .map((place) => fileURLToPath(new URL(place, import.meta.url)))
    .filter(existsSync);
  if (optimised === undefined) return require('lzma-native');
  process.env[prebuildVariable] = optimised;
  try {
    return require('lzma-native');
  } catch {
    delete process.env[prebuildVariable];
    return require('lzma-native');
  }
}

/** Beside the bundle, and from the sources. */
const places = ['./lzma-native', '../../../dist/lzma-native'];

/** Where node-gyp-build looks before the package's own directory. */
const prebuildVariable = 'LZMA_NATIVE_PREBUILD';

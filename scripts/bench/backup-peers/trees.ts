import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { seededRandom } from '../../../test/support/seeded-random.ts';
import { cacheSubdirectory } from '../../fixtures/cache.ts';

/** Trees to back up, made once and kept in the cache. */
export const trees = { host: hostTree, small: smallTree, million: millionTree, log: logTree };
export type TreeName = keyof typeof trees;

function made(name: string, make: (directory: string) => void): string {
  const directory = join(cacheSubdirectory('bench-trees'), name);
  if (!existsSync(directory)) {
    const fresh = `${directory}.new`;
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh);
    make(fresh);
    renameSync(fresh, directory);
  }
  return directory;
}

/** What a host really has: 11,000 files or more of /usr, 950 MB or more. */
function hostTree(): string {
  return made('host', (directory) => {
    let files = 0;
    let bytes = 0;
    for (const path of filesBelow('/usr')) {
      const { size } = statSync(path);
      if (size > 40_000_000 || (bytes > 900_000_000 && size > 10_000)) continue;
      const copy = join(directory, path);
      mkdirSync(dirname(copy), { recursive: true });
      copyFileSync(path, copy);
      bytes += size;
      if (++files >= 11_000 && bytes >= 950_000_000) return;
    }
  });
}

function* filesBelow(directory: string): Generator<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}

/** 100,000 files of up to 4 kB in 1,000 directories. */
function smallTree(): string {
  return made('small', (directory) => makeFiles(directory, 100_000, 1000));
}

/** A million files, empty to 4 kB. */
function millionTree(): string {
  return made('million', (directory) => makeFiles(directory, 1_000_000, 5000));
}

function makeFiles(directory: string, files: number, directories: number): void {
  const random = seededRandom(1);
  for (let i = 0; i < files; i++) {
    const parent = join(directory, `d${i % directories}`);
    if (i < directories) mkdirSync(parent);
    writeFileSync(join(parent, `file-${i}.txt`), lines(random, Math.floor(random() * 4000)));
  }
}

const logBytes = 500_000_000;

/** A log of 500 MB, cut back to that if an earlier bench has let it grow. */
function logTree(): string {
  const directory = made('log', (fresh) => {
    const random = seededRandom(2);
    const file = openSync(join(fresh, 'server.log'), 'w');
    for (let written = 0; written < logBytes; written += 1_000_000) writeSync(file, lines(random, 1_000_000));
    closeSync(file);
  });
  truncateSync(join(directory, 'server.log'), logBytes);
  return directory;
}

/** Lets the log grow by one per cent, by other lines each time. */
export function growLog(directory: string, time: number): void {
  appendFileSync(join(directory, 'server.log'), lines(seededRandom(3 + time), logBytes / 100));
}

const words = [
  'GET',
  'POST',
  '/index.html',
  '/api/v1/nodes',
  'HTTP/1.1',
  '200',
  '404',
  'connection',
  'from',
  'timeout',
];

function lines(random: () => number, size: number): string {
  let text = '';
  while (text.length < size) {
    const pick = () => words[Math.floor(random() * words.length)];
    text += `2026-11-22T16:${String(text.length % 60).padStart(2, '0')} ${pick()} ${pick()} ${pick()} ${random().toString(36).slice(2)}\n`;
  }
  return text.slice(0, size);
}

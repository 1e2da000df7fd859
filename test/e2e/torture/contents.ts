import { createCipheriv, createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Repository } from '../../../src/repository/repository.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';

/** Digests of files by name. */
export type Content = Map<string, string>;

/** What a snapshot's source `data` holds. */
export async function contentOf(repository: Repository, snapshot: Snapshot): Promise<Content> {
  const content: Content = new Map();
  for await (const entry of repository.entries(snapshot, 'data')) {
    if (entry.type !== 'file') continue;
    const hash = createHash('sha256');
    for await (const piece of repository.content(snapshot, entry)) hash.update(piece);
    content.set(entry.path.split('/').at(-1)!, hash.digest('hex'));
  }
  return content;
}

/** What the files of a directory hold. */
export function readFiles(directory: string): Content {
  const names = readdirSync(directory).sort();
  return new Map(names.map((name) => [name, hashOf(readFileSync(join(directory, name)))]));
}

function hashOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Big files that must be chunked and small ones that are packed together, other ones each time. */
export function changeFiles(directory: string, random: () => number): void {
  for (let i = 0; i < 2; i++) write(join(directory, `big${pick(random, 4)}`), bytes(random, 3_000_000));
  for (let i = 0; i < 40; i++) write(join(directory, `small${pick(random, 200)}`), bytes(random, 2000));
  for (let i = 0; i < 5; i++) rmSync(join(directory, `small${pick(random, 200)}`), { force: true });
}

export function pick(random: () => number, below: number): number {
  return Math.floor(random() * below);
}

/** Random ones of a seed, so that a failure can be had again. */
export function bytes(random: () => number, length: number): Buffer {
  const key = createHash('sha256').update(String(random())).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** Private to us, as the command asks for. */
export function write(path: string, content: string | Uint8Array): void {
  writeFileSync(path, content, { mode: 0o600 });
}

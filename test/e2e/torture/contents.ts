import { createCipheriv, createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
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

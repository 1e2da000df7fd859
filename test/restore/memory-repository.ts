import { createHash } from 'node:crypto';
import { comparePaths, type Entry } from '../../src/repository/entry.ts';
import type { Repository } from '../../src/repository/repository.ts';
import type { Snapshot, SourceSummary } from '../../src/repository/snapshot/snapshot.ts';
import { NotFoundError } from '../../src/support/errors.ts';

type Content = Uint8Array | string;

export interface TestSource extends Partial<SourceSummary> {
  name: string;
  entries: Entry[];
}

/** A repository that hands out whatever trees a test made up, hostile ones included; `chunks` index its contents. */
export class MemoryRepository {
  readonly directory = '/nowhere';
  readonly id = 'test';
  readonly contents = new Map<string, Uint8Array>();
  readonly #sources = new Map<string, Entry[]>();
  #snapshot: Snapshot | undefined;
  /** Called before content is handed out: may throw. */
  onContent: (entry: Entry) => void = () => {};

  /** Makes the one snapshot there is. */
  take(sources: TestSource[], options: Partial<Snapshot> = {}): Repository {
    const now = new Date('2026-01-02T03:04:05Z');
    for (const { name, entries } of sources) this.#sources.set(name, entries);
    this.#snapshot = {
      id: `sha256:${'5'.repeat(64)}`,
      started: now,
      ended: now,
      host: 'test',
      deployment: 'test',
      release: '1',
      complete: true,
      predecessor: undefined,
      sources: sources.map(({ entries, ...source }) => ({
        title: `Title of ${source.name}`,
        kind: 'paths',
        started: now,
        ended: now,
        complete: true,
        files: entries.length,
        bytes: entries.reduce((sum, { size = 0 }) => sum + size, 0),
        newBytes: 0,
        warnings: [],
        origin: {},
        ...source,
      })),
      tags: [],
      recipients: [],
      added: { bytes: 0, blobs: 0 },
      ...options,
    } as Snapshot;
    return this as unknown as Repository;
  }

  async snapshots() {
    return this.#snapshot === undefined ? [] : [this.#snapshot];
  }

  async unreadable() {
    return [];
  }

  async lacking() {
    return [];
  }

  async signedConfig() {
    return { config: Buffer.from('{}'), signature: undefined };
  }

  file(path: string, content: Content, rest: Partial<Entry> = {}): Entry {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const chunk = createHash('sha256').update(bytes).digest('hex');
    this.contents.set(chunk, bytes);
    return entry('file', path, { size: bytes.length, chunks: bytes.length === 0 ? [] : [chunk], ...rest });
  }

  async find(name: string): Promise<Snapshot> {
    if (this.#snapshot && (name === 'latest' || name === this.#snapshot.id)) return this.#snapshot;
    throw new NotFoundError(`no snapshot ${name}`);
  }

  async *entries(_: Snapshot, source: string): AsyncGenerator<Entry> {
    yield* this.#sources.get(source) ?? [];
  }

  async *content(_: Snapshot, entry: Entry): AsyncGenerator<Uint8Array> {
    this.onContent(entry);
    for (const chunk of entry.chunks ?? []) yield this.contents.get(chunk)!;
  }

  async close(): Promise<void> {}
}

/** An entry that belongs to whoever runs the test. */
export function entry(type: Entry['type'], path: string, rest: Partial<Entry> = {}): Entry {
  const mode = type === 'directory' ? 0o755 : 0o644;
  return { path, type, mode, uid: 0, gid: 0, mtime: 1_700_000_000_123_456_789n, ...rest };
}

/** In the order of a tree. */
export function sorted(entries: Entry[]): Entry[] {
  return entries.toSorted((a, b) => comparePaths(a.path, b.path));
}

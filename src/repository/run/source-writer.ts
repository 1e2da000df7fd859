import { Readable } from 'node:stream';
import type { StagedBlob } from '../../oci/layout-blobs.ts';
import type { Context } from '../../support/context.ts';
import { InterruptedError } from '../../support/errors.ts';
import type { Entry } from '../entry.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import type { SourceSummary } from '../snapshot/snapshot.ts';
import { PreviousLine } from '../tree/previous-line.ts';
import type { PreviousTree } from '../tree/previous-tree.ts';
import { type NewSegment, TreeWriter } from '../tree/tree-writer.ts';
import type { Ingest } from './ingest.ts';
import type { FileToStore, PreviousFile, SourceWriter, StoredFile } from './run.ts';
import { chunksOfSmall, peek } from './small-stream.ts';

export interface SourceWriterOptions {
  source: Pick<SourceSummary, 'name' | 'title' | 'kind' | 'origin'>;
  predecessor: SourceSummary | undefined;
  ingest: Ingest;
  previous: PreviousTree;
  /** Segments of the previous tree whose packs can all be used. */
  usable: ReadonlySet<TreeRef>;
  cutBits: number;
  context: Context;
  writeSegment(text: Buffer): Promise<StagedBlob>;
  onEnd(summary: SourceSummary, segments: NewSegment[]): void;
}

/** No more warnings than this are kept; the rest is counted. */
const mostWarnings = 100;

/** Begins the tree of one source. Nothing of it counts before the run is committed. */
export function createSourceWriter(options: SourceWriterOptions): SourceWriter {
  const { source, ingest, previous, usable, context } = options;
  const started = context.now();
  const warnings: string[] = [];
  let unkept = 0;
  let files = 0;
  let bytes = 0;
  const tree = new TreeWriter({
    cutBits: options.cutBits,
    usable: (segment) => usable.has(segment),
    numbersOf: (chunks) => numbersOf(ingest, chunks),
    write: options.writeSegment,
  });
  ingest.begin(source.name);

  function count(file: Counted): void {
    if (file.type !== 'file') return;
    files++;
    if (file.hardlink === undefined) bytes += (file.size ?? 0) - totalHoles(file);
  }

  return {
    predecessor: options.predecessor,

    previous: () => previous.segments(),

    has(file: PreviousFile): boolean {
      if (file instanceof PreviousLine && usable.has(file.segment.ref)) return true;
      const chunks = file.entry?.chunks ?? [];
      const known = ingest.knownNow;
      return chunks.every((chunk) => known !== undefined && known.numberOf(chunk) >= 0);
    },

    async storeFiles(batch: readonly FileToStore[]): Promise<StoredFile[]> {
      throwIfInterrupted(context);
      return ingest.storeFiles(batch);
    },

    async storeStream(content) {
      throwIfInterrupted(context);
      const peeked = await peek(content);
      if ('stream' in peeked) return ingest.storeStream(peeked.stream);
      const { whole } = peeked;
      const chunks = chunksOfSmall(whole);
      const known = await previous.chunksOfSmallTree(usable);
      if (chunks.every((chunk) => known.has(chunk))) return { chunks, size: whole.length };
      return ingest.storeStream(Readable.from([whole]));
    },

    add(entry: Readonly<Entry>): Promise<void> | undefined {
      count(entry);
      return tree.add(entry);
    },

    keep(file: PreviousFile): Promise<void> | undefined {
      if (!(file instanceof PreviousLine)) throw new TypeError(`${file.path} is of no previous tree`);
      if (file.summary !== undefined) count(file.summary);
      return tree.keep(file);
    },

    warn(message: string): void {
      if (warnings.length < mostWarnings) warnings.push(message);
      else unkept++;
    },

    async end({ complete }): Promise<SourceSummary> {
      throwIfInterrupted(context);
      const segments = await tree.end();
      const newBytes = await ingest.end();
      if (unkept > 0) warnings.push(`and ${unkept} more`);
      const ended = context.now();
      const summary = { ...source, started, ended, complete, files, bytes, newBytes, warnings };
      options.onEnd(summary, segments);
      return summary;
    },
  };
}

async function numbersOf(ingest: Ingest, chunks: readonly string[]): Promise<Uint32Array> {
  if (chunks.length === 0) return new Uint32Array(0);
  const known = await ingest.known();
  return Uint32Array.from(chunks, (chunk) => {
    const number = known.numberOf(chunk);
    if (number < 0) throw new Error(`the tree names the chunk ${chunk}, which was not stored`);
    return number;
  });
}

/** What counting a file needs. One that is known by its stat alone is no hard link and has no holes. */
type Counted = Pick<Entry, 'size' | 'hardlink' | 'holes'> & { type: string };

function totalHoles({ holes }: Counted): number {
  return holes?.reduce((sum, [, length]) => sum + length, 0) ?? 0;
}

function throwIfInterrupted({ signal }: Context): void {
  if (signal.aborted) throw new InterruptedError('backing up: interrupted; nothing of this run was kept');
}

import { Readable } from 'node:stream';
import type { StagedBlob } from '../../oci/layout-blobs.ts';
import type { Context } from '../../support/context.ts';
import { FailedError } from '../../support/errors.ts';
import { toText } from '../../support/posix/byte-path.ts';
import type { Entry } from '../entry.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import type { SourceSummary } from '../snapshot/snapshot.ts';
import { fitsLine } from '../tree/fits-line.ts';
import { PreviousLine } from '../tree/previous-line.ts';
import type { PreviousTree } from '../tree/previous-tree.ts';
import { type NewSegment, TreeWriter } from '../tree/tree-writer.ts';
import type { Ingest } from './ingest.ts';
import type { FileToStore, PreviousFile, SourceWriter, StoredFile } from './run.ts';
import { chunksOfSmall, peek } from './small-stream.ts';
import { SourceTally } from './source-tally.ts';

export interface SourceWriterOptions {
  source: Pick<SourceSummary, 'name' | 'title' | 'kind' | 'origin'>;
  predecessor: SourceSummary | undefined;
  lastComplete: SourceSummary | undefined;
  ingest: Ingest;
  previous: PreviousTree;
  /** Segments of the previous tree whose packs can all be used. */
  usable: ReadonlySet<TreeRef>;
  cutBits: number;
  context: Context;
  writeSegment(text: Buffer): Promise<StagedBlob>;
  onEnd(summary: SourceSummary, segments: NewSegment[]): void;
}

/** Begins the tree of one source. Nothing of it counts before the run is committed. */
export function createSourceWriter(options: SourceWriterOptions): SourceWriter {
  options.ingest.begin(options.source.name);
  return new IngestingSourceWriter(options);
}

class IngestingSourceWriter implements SourceWriter {
  readonly #options: SourceWriterOptions;
  readonly #started: Date;
  readonly #tally = new SourceTally();
  readonly #tree: TreeWriter;

  constructor(options: SourceWriterOptions) {
    const { ingest, usable, cutBits, writeSegment } = options;
    this.#options = options;
    this.#started = options.context.now();
    this.#tree = new TreeWriter({
      cutBits,
      usable: (segment) => usable.has(segment),
      numbersOf: (chunks) => numbersOf(ingest, chunks),
      write: writeSegment,
    });
  }

  get predecessor(): SourceSummary | undefined {
    return this.#options.predecessor;
  }

  get lastComplete(): SourceSummary | undefined {
    return this.#options.lastComplete;
  }

  previous(): AsyncIterable<Iterable<PreviousFile>> {
    return this.#options.previous.segments();
  }

  has(file: PreviousFile): boolean {
    const { usable, ingest } = this.#options;
    if (file instanceof PreviousLine && usable.has(file.segment.ref)) return true;
    const chunks = file.entry?.chunks ?? [];
    const known = ingest.knownNow;
    return chunks.every((chunk) => known !== undefined && known.numberOf(chunk) >= 0);
  }

  async storeFiles(batch: readonly FileToStore[]): Promise<StoredFile[]> {
    this.#options.context.signal.throwIfAborted();
    return this.#options.ingest.storeFiles(batch);
  }

  async storeStream(content: AsyncIterable<Uint8Array>): Promise<{ chunks: string[]; size: number }> {
    const { context, ingest, previous, usable } = this.#options;
    context.signal.throwIfAborted();
    const peeked = await peek(content);
    if ('stream' in peeked) return ingest.storeStream(peeked.stream);
    const { whole } = peeked;
    const chunks = chunksOfSmall(whole);
    const known = await previous.chunksOfSmallTree(usable);
    if (chunks.every((chunk) => known.has(chunk))) return { chunks, size: whole.length };
    return ingest.storeStream(Readable.from([whole]));
  }

  add(entry: Readonly<Entry>): Promise<void> | undefined {
    const told = fitsLine(entry) ? entry : this.#shortened(entry);
    if (told === undefined) return undefined;
    this.#tally.count(told);
    return this.#tree.add(told);
  }

  keep(file: PreviousFile): Promise<void> | undefined {
    if (!(file instanceof PreviousLine)) throw new TypeError(`${file.path} is of no previous tree`);
    if (file.summary !== undefined) this.#tally.count(file.summary);
    return this.#tree.keep(file);
  }

  /** Bound to their writer: they are handed on by themselves. */
  readonly warn = (message: string): void => this.#tally.warn(message);
  readonly fail = (message: string): void => this.#tally.fail(message);

  /** Without its attributes, if that is enough. */
  #shortened({ xattrs: _, ...entry }: Readonly<Entry>): Readonly<Entry> | undefined {
    const path = toText(entry.path);
    if (fitsLine(entry)) {
      this.fail(
        `${path}: is saved without its extended attributes, which are longer than a snapshot can tell`,
      );
      return entry;
    }
    this.fail(`${path}: is not saved: where all its parts are is longer than a snapshot can tell`);
    return undefined;
  }

  async end(): Promise<SourceSummary> {
    const { source, ingest, context, onEnd } = this.#options;
    context.signal.throwIfAborted();
    const segments = await this.#tree.end();
    const newBytes = await ingest.end();
    const { complete, files, bytes, warnings } = this.#tally;
    const times = { started: this.#started, ended: context.now() };
    const summary = { ...source, ...times, complete, files, bytes, newBytes, warnings };
    onEnd(summary, segments);
    return summary;
  }
}

async function numbersOf(ingest: Ingest, chunks: readonly string[]): Promise<Uint32Array> {
  if (chunks.length === 0) return new Uint32Array(0);
  const known = await ingest.known();
  return Uint32Array.from(chunks, (chunk) => {
    const number = known.numberOf(chunk);
    if (number < 0) throw lostMeanwhile(chunk);
    return number;
  });
}

/** The indexes could be read when the run began: files were taken over by what they tell. */
function lostMeanwhile(chunk: string): FailedError {
  return new FailedError(
    `building on older snapshots: an index that told of the chunk ${chunk} cannot be read`,
    {
      advice: 'Run it again; if it comes again, dockerctl backup verify names what is damaged',
      facts: { chunk },
    },
  );
}

import type { StagedBlob } from '../../oci/layout.ts';
import { comparePaths, type Entry } from '../entry.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import { endsSegment, segmentLimit } from './cut.ts';
import { decodeLine, encodeLine } from './line.ts';
import type { PreviousTree, ReadSegment } from './previous-tree.ts';

/** So many segments are compressed and written at a time. */
const segmentsInFlight = 4;

/** A segment of the new tree: one of the previous tree as it was, or one that was written. */
export type NewSegment = { same: TreeRef } | { blob: Promise<StagedBlob>; chunks: Uint32Array };

export interface TreeWriterOptions {
  previous: PreviousTree;
  /** One path in 2^cutBits ends a segment. */
  cutBits: number;
  /** Whether the packs of a segment of the previous tree can still be used. */
  usable(segment: TreeRef): boolean;
  /** Numbers that stand for these chunks. Throws when one is not stored. */
  numbersOf(chunks: string[]): Promise<Uint32Array>;
  write(text: Buffer): Promise<StagedBlob>;
}

/**
 * Writes a tree, segment by segment. A run of entries that is a whole segment of the previous tree becomes that
 * segment, without being written or hashed again; single entries of it become their old line.
 */
export class TreeWriter {
  readonly #options: TreeWriterOptions;
  readonly #segments: NewSegment[] = [];
  /** The segment in progress is the first `count` lines of this one… */
  #intact: { segment: ReadSegment; count: number } | undefined;
  /** …or these lines. */
  #lines: string[] = [];
  #chunks: string[] = [];
  #bytes = 0;
  #last: string | undefined;

  constructor(options: TreeWriterOptions) {
    this.#options = options;
  }

  async add(entry: Readonly<Entry>): Promise<void> {
    if (this.#last !== undefined && comparePaths(this.#last, entry.path) >= 0) {
      throw new Error(`${entry.path} was added to the tree after ${this.#last}`);
    }
    const origin = this.#options.previous.originOf(entry);
    if (origin === undefined) this.#addLine(encodeLine(entry), entry.chunks);
    else if (!this.#continues(origin.segment, origin.number)) {
      this.#addLine(origin.segment.lines[origin.number]!, entry.chunks);
    }
    this.#last = entry.path;
    if (this.#bytes > segmentLimit || endsSegment(entry.path, this.#options.cutBits)) await this.#cut();
  }

  /** All segments in order. */
  async end(): Promise<NewSegment[]> {
    await this.#cut();
    return this.#segments;
  }

  /** Takes the line as part of a segment that may stay as it was. */
  #continues(segment: ReadSegment, number: number): boolean {
    const expected = this.#intact?.segment === segment ? this.#intact.count : 0;
    const begins = this.#intact === undefined && this.#lines.length === 0;
    if (number !== expected || !(begins || this.#intact?.segment === segment)) return false;
    if (begins && !this.#options.usable(segment.ref)) return false;
    this.#intact = { segment, count: number + 1 };
    this.#bytes += segment.lines[number]!.length + 1;
    return true;
  }

  #addLine(line: string, chunks: string[] | undefined): void {
    this.#spoil();
    this.#lines.push(line);
    this.#bytes += line.length + 1;
    if (chunks !== undefined) for (const chunk of chunks) this.#chunks.push(chunk);
  }

  /** The segment in progress is not the old one after all. */
  #spoil(): void {
    if (this.#intact === undefined) return;
    const { segment, count } = this.#intact;
    this.#intact = undefined;
    this.#bytes = 0;
    for (const line of segment.lines.slice(0, count)) {
      this.#addLine(line, decodeLine(line, `tree ${segment.ref.digest}`).chunks);
    }
  }

  async #cut(): Promise<void> {
    if (this.#intact !== undefined && this.#intact.count < this.#intact.segment.lines.length) this.#spoil();
    if (this.#intact !== undefined) this.#segments.push({ same: this.#intact.segment.ref });
    else if (this.#lines.length > 0) await this.#write();
    this.#intact = undefined;
    this.#lines = [];
    this.#chunks = [];
    this.#bytes = 0;
  }

  async #write(): Promise<void> {
    const chunks = await this.#options.numbersOf(this.#chunks);
    const earlier = this.#segments.at(-segmentsInFlight);
    if (earlier !== undefined && 'blob' in earlier) await earlier.blob;
    const blob = this.#options.write(Buffer.from(`${this.#lines.join('\n')}\n`));
    blob.catch(() => {});
    this.#segments.push({ blob, chunks });
  }
}

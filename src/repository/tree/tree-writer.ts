import type { StagedBlob } from '../../oci/layout-blobs.ts';
import { freeNow } from '../../support/free-now.ts';
import { LineBuffer } from '../blobs/line-buffer.ts';
import { comparePaths, type Entry } from '../entry.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import { endsSegment, segmentLimit } from './cut.ts';
import { encodeLine } from './line.ts';
import { linesOf, type PreviousLine, type PreviousSegment } from './previous-line.ts';

/** So many segments are compressed and written at a time. */
const segmentsInFlight = 4;

/** A segment of the new tree: one of the previous tree as it was, or one that was written. */
export type NewSegment = { same: TreeRef } | { blob: Promise<StagedBlob>; chunks: Uint32Array };

export interface TreeWriterOptions {
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
  /** The segment in progress is one of the previous tree up to this line… */
  #intact: PreviousLine | undefined;
  /** …or these lines. */
  #text = new LineBuffer();
  #chunks: string[] = [];
  #bytes = 0;
  #last: string | undefined;

  constructor(options: TreeWriterOptions) {
    this.#options = options;
  }

  /** A file that is new, or not what it was. */
  add(entry: Readonly<Entry>): Promise<void> | undefined {
    this.#expect(entry.path);
    this.#spoil();
    this.#addLine(encodeLine(entry), entry.chunks);
    return this.#endsWith(entry.path) ? this.#cut() : undefined;
  }

  /** A file that is what it was. Nothing is to be waited for but the end of a segment that must be written. */
  keep(line: PreviousLine): Promise<void> | undefined {
    this.#expect(line.path);
    if (this.#continues(line)) {
      this.#intact = line;
      this.#bytes += line.bytes;
    } else {
      this.#spoil();
      this.#addLine(line.text, line.entry?.chunks);
    }
    return this.#endsWith(line.path) ? this.#cut() : undefined;
  }

  /** All segments in order. */
  async end(): Promise<NewSegment[]> {
    await this.#cut();
    return this.#segments;
  }

  #expect(path: string): void {
    if (this.#last !== undefined && comparePaths(this.#last, path) >= 0) {
      throw new Error(`${path} was added to the tree after ${this.#last}`);
    }
    this.#last = path;
  }

  #endsWith(path: string): boolean {
    return this.#bytes > segmentLimit || endsSegment(path, this.#options.cutBits);
  }

  /** Whether the segment in progress, with this line, is still the beginning of one that may stay as it was. */
  #continues({ segment, number }: PreviousLine): boolean {
    if (this.#intact !== undefined)
      return this.#intact.segment === segment && this.#intact.number + 1 === number;
    return number === 0 && this.#text.isEmpty && this.#options.usable(segment.ref);
  }

  /** The segment in progress is not the old one after all. */
  #spoil(): void {
    if (this.#intact === undefined) return;
    const { segment, number } = this.#intact;
    this.#intact = undefined;
    this.#bytes = 0;
    for (const line of linesOf(segment).take(number + 1)) this.#addLine(line.text, line.entry?.chunks);
  }

  #addLine(line: string, chunks: string[] | undefined): void {
    this.#bytes += this.#text.add(line);
    if (chunks !== undefined) for (const chunk of chunks) this.#chunks.push(chunk);
  }

  async #cut(): Promise<void> {
    if (this.#intact?.isLast === false) this.#spoil();
    if (this.#intact !== undefined) this.#keepSegment(this.#intact.segment);
    else if (!this.#text.isEmpty) await this.#write();
    this.#intact = undefined;
    this.#chunks = [];
    this.#bytes = 0;
  }

  /** All of its lines were kept, so nobody looks at its text any more. */
  #keepSegment({ ref, text }: PreviousSegment): void {
    this.#segments.push({ same: ref });
    freeNow(text);
  }

  async #write(): Promise<void> {
    const chunks = await this.#options.numbersOf(this.#chunks);
    const earlier = this.#segments.at(-segmentsInFlight);
    if (earlier !== undefined && 'blob' in earlier) await earlier.blob;
    const text = this.#text.take();
    const blob = this.#options.write(text);
    blob.then(
      () => freeNow(text),
      () => {},
    );
    this.#segments.push({ blob, chunks });
  }
}

import { endOfLine } from '../blobs/end-of-line.ts';
import type { Entry } from '../entry.ts';
import type { PlainStat, PreviousFile } from '../run/run.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import { isLineOf } from './plain-line.ts';

/** A segment of the previous tree, its lines not decoded. */
export interface PreviousSegment {
  ref: TreeRef;
  text: Buffer;
  /** The line between two of its bytes; `undefined`, and a warning, when it is none. */
  decode(from: number, to: number): Readonly<Entry> | undefined;
}

/** One line of the previous tree. */
export class PreviousLine implements PreviousFile {
  readonly segment: PreviousSegment;
  /** How many lines of the segment come before it. */
  readonly number: number;
  readonly path: string;
  /** Its first byte, and its newline. */
  readonly #from: number;
  readonly #to: number;
  /** The byte behind its path; -1 when that does not stand there as it is. */
  readonly #behindPath: number;
  #entry: Readonly<Entry> | undefined;
  #isDecoded = false;
  /** It is plainly the same as this. */
  #stat: PlainStat | undefined;

  constructor(segment: PreviousSegment, number: number, from: number, to: number) {
    this.segment = segment;
    this.number = number;
    this.#from = from;
    this.#to = to;
    this.#behindPath = endOfPath(segment.text, from, to);
    this.path =
      this.#behindPath < 0
        ? (this.entry?.path ?? '')
        : segment.text.toString('latin1', from + opening.length, this.#behindPath);
  }

  get entry(): Readonly<Entry> | undefined {
    if (!this.#isDecoded) this.#entry = this.segment.decode(this.#from, this.#to);
    this.#isDecoded = true;
    return this.#entry;
  }

  /** Without its newline. */
  get text(): string {
    return this.segment.text.toString('utf8', this.#from, this.#to);
  }

  /** Of its text with the newline. */
  get bytes(): number {
    return this.#to + 1 - this.#from;
  }

  isPlainly(stat: PlainStat): boolean {
    if (this.#behindPath < 0 || !isLineOf(this.segment.text, this.#behindPath, this.#to, stat)) return false;
    this.#stat = stat;
    return true;
  }

  /** What is known of it without decoding it, if that was found out. */
  get summary(): PlainStat | Readonly<Entry> | undefined {
    return this.#stat ?? this.entry;
  }

  /** Nothing comes after it in its segment. */
  get isLast(): boolean {
    return this.#to + 1 >= this.segment.text.length;
  }
}

const opening = Buffer.from('{"path":"');
const quote = 0x22;
const backslash = 0x5c;

/** Of the beginning of a line up to there, in bytes. */
const longestPlainPath = 4096;

/** Where the path ends of a line that begins at `from`; -1 unless it is short, and plain ASCII without escapes. */
function endOfPath(text: Buffer, from: number, to: number): number {
  for (let i = 0; i < opening.length; i++) if (text[from + i] !== opening[i]) return -1;
  const end = Math.min(to, from + longestPlainPath);
  for (let at = from + opening.length; at < end; at++) {
    const byte = text[at]!;
    if (byte === quote) return at;
    if (byte === backslash || byte < 0x20 || byte > 0x7e) return -1;
  }
  return -1;
}

/** The lines of a segment in order, each made when it is asked for. */
export function* linesOf(segment: PreviousSegment): Generator<PreviousLine, void, undefined> {
  for (let from = 0, number = 0; from < segment.text.length; number++) {
    const to = endOfLine(segment.text, from);
    yield new PreviousLine(segment, number, from, to);
    from = to + 1;
  }
}

import { DamagedError } from '../support/errors.ts';

/** What a dump program writes first and last. The end is the proof that the script is whole. */
export interface ScriptKind {
  begin: RegExp;
  end: RegExp;
  /**
   * What is left out of the first and the last kilobyte: it is made anew for every dump, or not every client knows it.
   */
  noise: { head: RegExp; tail?: RegExp };
}

const headLimit = 1024;
const tailLimit = 1024;

/**
 * Passes a dump script on, and throws `DamagedError` at its end unless it begins and ends as a whole one does. Large
 * pieces are passed on as they are: a copy of each would keep the collector busy.
 */
export async function* wholeScript(
  script: AsyncIterable<Uint8Array>,
  kind: ScriptKind,
  purpose: string,
): AsyncGenerator<Uint8Array> {
  let atHead = true;
  let held: Buffer = Buffer.alloc(0);
  for await (const piece of script) {
    if (atHead) {
      held = Buffer.concat([held, piece]);
      if (held.length < headLimit + tailLimit) continue;
      held = checkedHead(held, kind, purpose);
      atHead = false;
    } else if (piece.length < tailLimit) {
      held = Buffer.concat([held, piece]);
    } else {
      yield held;
      held = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    }
    if (held.length > tailLimit) {
      yield held.subarray(0, -tailLimit);
      held = Buffer.from(held.subarray(-tailLimit));
    }
  }
  if (atHead) held = checkedHead(held, kind, purpose);
  yield checkedTail(held, kind, purpose);
}

function checkedHead(head: Buffer, { begin, noise }: ScriptKind, purpose: string): Buffer {
  const text = head.toString('latin1');
  if (!begin.test(text)) throw new DamagedError(`${purpose}: the dump does not begin like one`);
  return Buffer.from(text.slice(0, headLimit).replace(noise.head, '') + text.slice(headLimit), 'latin1');
}

function checkedTail(tail: Buffer, { end, noise }: ScriptKind, purpose: string): Buffer {
  const text = tail.toString('latin1').replace(noise.tail ?? /$^/, '');
  if (!end.test(text.trimEnd())) throw new DamagedError(`${purpose}: the dump ends before its end`);
  return Buffer.from(text, 'latin1');
}

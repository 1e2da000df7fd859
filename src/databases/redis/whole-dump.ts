import { DamagedError } from '../../support/errors.ts';
import { Crc64, jones } from '../crc64.ts';

const headLength = 9;
/** The end's opcode, and a checksum of everything up to it. */
const endOpcode = 0xff;
const checksumLength = 8;
/**
 * A server that streams a dump sends a mark of so many hex digits before it and behind it; `redis-cli` passes the
 * second one on.
 */
const markLength = 40;
const heldLength = 1 + checksumLength + markLength;

/**
 * Passes a Redis dump (RDB) on, without the mark behind it, and throws `DamagedError` at its end unless it begins like
 * one, ends with its end and matches its checksum. Where the server is told to compute none, which it says by zeros,
 * begin and end must do. Source of the format: https://rdb.fnordig.de/file_format.html.
 */
export async function* wholeDump(
  content: AsyncIterable<Uint8Array>,
  purpose: string,
): AsyncGenerator<Uint8Array> {
  const checksum = new Crc64(jones);
  let held: Buffer = Buffer.alloc(0);
  let atHead = true;
  for await (const piece of content) {
    held = Buffer.concat([held, piece]);
    if (held.length <= headLength + heldLength) continue;
    if (atHead) expectHead(held, purpose);
    atHead = false;
    const passed = held.subarray(0, -heldLength);
    held = held.subarray(-heldLength);
    checksum.update(passed);
    yield passed;
  }
  if (atHead) expectHead(held, purpose);
  const rest = withoutMark(held);
  expectEnd(rest, checksum, purpose);
  yield rest;
}

function expectHead(head: Buffer, purpose: string): void {
  if (/^REDIS\d{4}/.test(head.toString('latin1', 0, headLength))) return;
  throw new DamagedError(`${purpose}: the dump does not begin like one`);
}

function withoutMark(rest: Buffer): Buffer {
  const isMarked = /^[0-9a-f]{40}$/.test(rest.toString('latin1', rest.length - markLength));
  return isMarked && rest.at(-heldLength) === endOpcode ? rest.subarray(0, -markLength) : rest;
}

function expectEnd(rest: Buffer, checksum: Crc64, purpose: string): void {
  if (rest.at(-1 - checksumLength) !== endOpcode) {
    throw new DamagedError(`${purpose}: the dump ends before its end`);
  }
  checksum.update(rest.subarray(0, -checksumLength));
  const written = rest.readBigUInt64LE(rest.length - checksumLength);
  if (written !== 0n && written !== checksum.value) {
    throw new DamagedError(`${purpose}: the dump does not match its checksum`);
  }
}

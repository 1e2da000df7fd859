import * as z from 'zod';
import type { ByteSource } from '../../archive/byte-source.ts';
import { isDigest } from '../../oci/digest.ts';
import { FailedError } from '../../support/errors.ts';

/**
 * What sender and receiver say to each other (docs/backup.md, "The protocol"): four bytes that tell, big-endian, how
 * long the JSON is that follows. Where that has `bytes`, so many follow it.
 */
export const protocol = 1;

const digest = z.custom<`sha256:${string}`>(isDigest);
const size = z.int().nonnegative();

export const requestShape = z.union([
  z.object({ protocol: z.literal(protocol), send: digest, bytes: size }),
  z.object({ protocol: z.literal(protocol), remove: z.array(z.string()) }),
]);
export type Request = z.infer<typeof requestShape>;

export const blobShape = z.object({ blob: digest, bytes: size });

export const answerShape = z.union([
  z.object({ lacks: z.array(digest) }),
  z.object({ stored: z.string(), existed: z.boolean() }),
  z.object({
    removed: z.object({
      snapshots: z.array(z.string()),
      blobs: size,
      bytes: size,
      rewritten: z.object({ packs: size, bytes: size }),
    }),
  }),
  z.object({ error: z.object({ name: z.string(), message: z.string(), advice: z.string().optional() }) }),
]);
export type Answer = z.infer<typeof answerShape>;

/** A snapshot may lack every one of its blobs. */
const longest = 4 * 1024 * 1024;

/** JSON behind its length, four bytes, big end first. */
export function encodeMessage(message: Request | Answer | z.infer<typeof blobShape>): Buffer {
  const json = Buffer.from(JSON.stringify(message));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json]);
}

/**
 * The next message; `undefined` when the other side has closed between two of them.
 * @throws {FailedError} when it closes within one, or says something else
 */
export async function readMessage<T>(source: ByteSource, shape: z.ZodType<T>): Promise<T | undefined> {
  const head = await source.take(4);
  if (head.length === 0) return undefined;
  const length = head.length === 4 ? Buffer.from(head).readUInt32BE() : 0;
  if (length === 0 || length > longest) throw notOurs();
  const json = await source.take(length);
  if (json.length < length) throw connectionEnded();
  const parsed = shape.safeParse(parse(json));
  if (!parsed.success) throw notOurs();
  return parsed.data;
}

function parse(json: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(json).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** The other side is gone, or was never there: whoever made the connection may know why. */
export class ConnectionError extends FailedError {}

/** What is thrown when the other side has gone. */
export function connectionEnded(): ConnectionError {
  return new ConnectionError('carrying a snapshot: the connection ended too early', {
    advice: 'Send it again: what has arrived is not sent twice',
  });
}

function notOurs(): ConnectionError {
  return new ConnectionError('carrying a snapshot: what the other side says is not this protocol', {
    advice: 'Make sure that both sides have the same dockerctl, and that nothing else prints on login there',
  });
}

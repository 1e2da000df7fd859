import type { Writable } from 'node:stream';
import { type ByteSource, streamSource } from '../../archive/byte-source.ts';
import { digestOf } from '../../oci/digest.ts';
import type { Context } from '../../support/context.ts';
import * as errors from '../../support/errors.ts';
import { interruptible } from '../../support/interruptible.ts';
import type { RemovalReport } from '../repository.ts';
import type { BlobRef } from '../snapshot/manifest.ts';
import {
  type Answer,
  answerShape,
  connectionEnded,
  encodeMessage,
  protocol,
  readMessage,
} from './messages.ts';
import type { Outgoing } from './outgoing.ts';

/** The two ends of a connection to a receiver. */
export interface Receiver {
  stdin: Writable;
  stdout: AsyncIterable<Uint8Array>;
}

/** What was sent to another host. */
export interface SendReport {
  /** Id of the snapshot. */
  snapshot: string;
  /** The receiver had it already. */
  existed: boolean;
  /** What the receiver lacked. */
  sent: { blobs: number; bytes: number };
  /** What took it there: rsync cannot be kept from overwriting. */
  by: 'dockerctl' | 'rsync';
}

/**
 * Sends a snapshot to a receiver: its manifest, then what the receiver lacks of its blobs.
 *
 * @throws whatever the receiver says went wrong there, as the same class of error
 * @throws {FailedError} when the connection ends early
 */
export async function sendSnapshot(
  outgoing: Outgoing,
  { stdin, stdout }: Receiver,
  context: Context,
): Promise<SendReport> {
  const source = streamSource(stdout, 'the receiver');
  const { manifest, snapshot } = outgoing;
  const request = encodeMessage({ protocol, send: digestOf(manifest), bytes: manifest.length });
  await writeIfHeard(stdin, [request, manifest]);
  const { lacks } = await readAnswer(source, 'lacks');
  const wanted = new Set<string>(lacks);
  const blobs = outgoing.blobs.filter(({ digest }) => wanted.has(digest));
  await sendBlobs(outgoing, blobs, stdin, context);
  const { existed } = await readAnswer(source, 'stored');
  stdin.end();
  const bytes = blobs.reduce((sum, { size }) => sum + size, 0);
  return { snapshot: snapshot.id, existed, sent: { blobs: blobs.length, bytes }, by: 'dockerctl' };
}

/** Asks a receiver to remove snapshots, which one that only lets itself be added to refuses. */
export async function removeAt(
  names: readonly string[],
  { stdin, stdout }: Receiver,
): Promise<RemovalReport> {
  await writeIfHeard(stdin, [encodeMessage({ protocol, remove: [...names] })]);
  const { removed } = await readAnswer(streamSource(stdout, 'the receiver'), 'removed');
  stdin.end();
  return removed;
}

async function sendBlobs(
  outgoing: Outgoing,
  blobs: readonly BlobRef[],
  stdin: Writable,
  { progress, signal }: Context,
): Promise<void> {
  const total = blobs.reduce((sum, { size }) => sum + size, 0);
  const task = progress.begin('sending', { unit: 'bytes', total });
  async function* all(): AsyncGenerator<Uint8Array> {
    for (const blob of blobs) {
      yield encodeMessage({ blob: blob.digest, bytes: blob.size });
      for await (const piece of interruptible(outgoing.read(blob), signal)) {
        yield piece;
        task.advance(piece.length);
      }
    }
  }
  try {
    await writeIfHeard(stdin, all());
  } finally {
    task.end();
  }
}

/** Stops when nobody reads any more: why, the receiver tells in its answer. */
async function writeIfHeard(
  stream: Writable,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  for await (const piece of pieces) {
    const failed = await new Promise((resolve) => stream.write(piece, resolve));
    if (failed) return;
  }
}

type Named<Key extends string> = Extract<Answer, Record<Key, unknown>>;

async function readAnswer<Key extends 'lacks' | 'stored' | 'removed'>(
  source: ByteSource,
  key: Key,
): Promise<Named<Key>> {
  const answer = await readMessage(source, answerShape);
  if (answer === undefined) throw connectionEnded();
  if ('error' in answer) throw errorThere(answer.error);
  if (key in answer) return answer as Named<Key>;
  throw connectionEnded();
}

/** Whoever reads it is not on the host that it is about. */
function errorThere({ name, message, advice }: Named<'error'>['error']): errors.DockerctlError {
  const { DamagedError, LockedError, NoSpaceError, NotFoundError, SignatureError } = errors;
  const classes = [DamagedError, LockedError, NoSpaceError, NotFoundError, SignatureError];
  const type = classes.find((one) => one.name === name) ?? errors.FailedError;
  return new type(
    `the receiver says: ${message}`,
    advice === undefined ? {} : { advice: `There: ${advice}` },
  );
}

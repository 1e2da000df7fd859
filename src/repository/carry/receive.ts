import { type ByteSource, streamSource } from '../../archive/byte-source.ts';
import { type Digest, verified } from '../../oci/digest.ts';
import type { Context } from '../../support/context.ts';
import { DamagedError, DockerctlError, FailedError, messageOf } from '../../support/errors.ts';
import { whenFree } from '../../support/when-free.ts';
import type { RemovalReport, Repository } from '../repository.ts';
import type { TrustedKeys } from '../signed/provenance.ts';
import { manifestLimit } from '../snapshot/media-types.ts';
import type { Incoming } from './incoming.ts';
import {
  type Answer,
  blobShape,
  connectionEnded,
  encodeMessage,
  type Request,
  readMessage,
  requestShape,
} from './messages.ts';
import { whileHeard } from './while-heard.ts';

export interface ReceiveOptions {
  /** Snapshots can be added only: whoever broke into the sender cannot remove what it sent. */
  appendOnly: boolean;
  /** Whose snapshots are taken in. */
  keys?: TrustedKeys;
  /** Seconds to wait for another writer to end, and for a sender that has fallen silent; ten minutes unless told. */
  patience?: number;
}

/** Long enough for another host's nightly snapshot, and for a line that comes back. */
const usualPatience = 600;

/** The two ends of a connection to a sender. */
export interface Connection {
  input: AsyncIterable<Uint8Array>;
  write(bytes: Uint8Array): Promise<void>;
}

/**
 * Does what a sender asks until it closes the connection. Nothing that is here can be overwritten: blobs are named by
 * their digests and checked while they arrive, and a snapshot shows only when all of it is here.
 *
 * @throws whatever went wrong, after the sender was told
 */
export async function receive(
  open: () => Promise<Repository>,
  { input, write }: Connection,
  options: ReceiveOptions,
  context: Context,
): Promise<void> {
  const source = streamSource(whileHeard(input, options.patience ?? usualPatience), 'the sender');
  const answer = (message: Answer) => write(encodeMessage(message));
  let repository: Repository | undefined;
  try {
    repository = await open();
    for (;;) {
      const request = await readMessage(source, requestShape);
      if (request === undefined) return;
      if ('send' in request) await takeSnapshot(repository, request, source, answer, options, context);
      else await answer({ removed: await remove(repository, request.remove, options, context) });
    }
  } catch (error) {
    await answer({ error: describe(error) }).catch(() => {}); // Who has gone cannot be told.
    throw error;
  } finally {
    await repository?.close();
  }
}

async function takeSnapshot(
  repository: Repository,
  { send, bytes }: Extract<Request, { send: Digest }>,
  source: ByteSource,
  answer: (message: Answer) => Promise<void>,
  options: ReceiveOptions,
  context: Context,
): Promise<void> {
  const manifest = await readManifest(source, send, bytes);
  const incoming = await beginWhenFree(repository, manifest, options, context);
  try {
    await answer({ lacks: incoming.lacking.map(({ digest }) => digest) });
    for (const { digest, size } of incoming.lacking) await takeBlob(source, incoming, digest, size);
    const { snapshot } = await incoming.commit();
    await answer({ stored: snapshot.id, existed: incoming.existing !== undefined });
  } finally {
    await incoming.abandon();
  }
}

/** Two hosts that send at the same hour take turns. @throws {LockedError} when it takes too long */
async function beginWhenFree(
  repository: Repository,
  manifest: Buffer,
  { keys = {}, patience = usualPatience }: ReceiveOptions,
  context: Context,
): Promise<Incoming> {
  const begin = () => repository.beginIncoming(manifest, { keys }, context);
  return whenFree(begin, context.signal, { patience });
}

async function readManifest(source: ByteSource, digest: Digest, bytes: number): Promise<Buffer> {
  if (bytes > manifestLimit) throw new DamagedError(`receiving a snapshot: a manifest of ${bytes} bytes`);
  const content = verified(arriving(source, bytes), { digest }, 'receiving the manifest of a snapshot');
  return Buffer.concat(await Array.fromAsync(content));
}

async function takeBlob(source: ByteSource, incoming: Incoming, digest: Digest, size: number): Promise<void> {
  const message = await readMessage(source, blobShape);
  if (message === undefined) throw connectionEnded();
  if (message.blob !== digest || message.bytes !== size) {
    throw new DamagedError(`receiving a snapshot: ${digest} was to come, not ${message.blob}`);
  }
  await incoming.add(digest, arriving(source, size));
}

async function* arriving(source: ByteSource, bytes: number): AsyncGenerator<Uint8Array> {
  try {
    yield* source.pieces(bytes);
  } catch (error) {
    throw error instanceof DamagedError ? connectionEnded() : error;
  }
}

async function remove(
  repository: Repository,
  names: readonly string[],
  { appendOnly }: ReceiveOptions,
  context: Context,
): Promise<RemovalReport> {
  if (appendOnly) {
    throw new FailedError('removing snapshots: this repository lets itself be added to only', {
      advice: 'Remove them on the host where the repository lies',
    });
  }
  const found = await Promise.all(names.map((name) => repository.find(name)));
  return repository.remove(
    found.map(({ id }) => id),
    context,
  );
}

function describe(error: unknown): Extract<Answer, { error: unknown }>['error'] {
  const { name, advice } = error instanceof DockerctlError ? error : { name: 'Error', advice: undefined };
  return { name, message: messageOf(error), ...(advice !== undefined && { advice }) };
}

import type { Readable } from 'node:stream';
import { type DockerctlError, FailedError } from '../../support/errors.ts';
import { linesOf } from '../../support/lines.ts';
import type { Client } from '../connection/client.ts';
import { engineFailure } from '../connection/errors.ts';
import { upload } from '../connection/upload.ts';
import type { LoadedImages } from '../engine.ts';

const doing = 'loading images into the engine';

/**
 * Streams an archive to `POST /images/load`. When `archive` fails or `signal` aborts, the connection breaks before its
 * end, so that the engine keeps nothing of it; the archive's own error is what is thrown then.
 */
export async function loadArchive(
  client: Client,
  archive: Readable,
  { signal }: { signal?: AbortSignal } = {},
): Promise<LoadedImages> {
  return upload(doing, archive, signal, (abortSignal) =>
    client.ask(doing, async (docker) => {
      // `quiet` would be true unless told: the engine then says nothing for as long as it works.
      const answer = await docker.loadImage(archive as NodeJS.ReadableStream, { quiet: 0, abortSignal });
      return readReport(answer as Readable);
    }),
  );
}

/** Lines of JSON; an error comes as one of them, with status 200 before it. */
async function readReport(answer: Readable): Promise<LoadedImages> {
  const loaded: LoadedImages = { references: [], ids: [] };
  for await (const line of linesOf(answer, 'utf8')) {
    if (line.trim() === '') continue;
    const message = parseMessage(line);
    const complaint = message.error ?? message.errorDetail?.message;
    if (complaint !== undefined) throw refusal(complaint);
    for (const text of (message.stream ?? '').split('\n')) readSentence(text, loaded);
  }
  return loaded;
}

/** The containerd store lacks what it was given where others remove an image before it is unpacked. */
function refusal(complaint: string): DockerctlError {
  if (!/content digest \S+ not found/i.test(complaint)) return engineFailure(doing, complaint);
  return new FailedError(`${doing}: ${complaint}`, {
    advice: 'Load it again when nobody else removes or prunes images',
    facts: { vanished: true },
  });
}

interface Message {
  stream?: string;
  error?: string;
  errorDetail?: { message?: string };
}

function parseMessage(line: string): Message {
  try {
    return JSON.parse(line) as Message;
  } catch (cause) {
    throw engineFailure(doing, `it answered what is no JSON: ${line.slice(0, 200)}`, cause);
  }
}

/** The engine tells results in sentences. The containerd store goes on after an image that it could not unpack. */
function readSentence(text: string, loaded: LoadedImages): void {
  if (/^Error unpacking image/.test(text)) throw engineFailure(doing, text);
  const [, id] = /^Loaded image ID: (\S+)/.exec(text) ?? [];
  const [, reference] = /^Loaded image: (\S+)/.exec(text) ?? [];
  if (id !== undefined) loaded.ids.push(id);
  if (reference !== undefined) loaded.references.push(reference);
}

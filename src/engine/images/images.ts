import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { within } from '../../support/deadline.ts';
import { FailedError, NotFoundError } from '../../support/errors.ts';
import { askAgain } from '../ask-again.ts';
import { type Client, streamAnswer } from '../connection/client.ts';
import { interruption, statusOf } from '../connection/errors.ts';
import type { ImageDetails, ImageSummary, Images } from '../engine.ts';
import { imageReference, notFound } from '../names.ts';
import { inLargePieces, type SilenceLimit } from './large-pieces.ts';
import { loadArchive } from './load.ts';

/**
 * The images of the engine behind a client.
 * @param silence seconds without a byte of images that it saves, after which it counts as hung
 */
export function imagesOf(client: Client, silence: number): Images {
  return {
    list: () => client.ask('listing images', (docker) => whileOthersGo(() => listImages(docker))),
    inspect: (reference) =>
      client.ask(`inspecting the image ${reference}`, (docker) =>
        whileOthersGo(() => inspect(docker, reference)),
      ),
    load: (archive, options) => loadArchive(client, archive, options),
    save: (references, options) =>
      client.ask(`saving ${references.join(', ')}`, (docker) =>
        save(docker, references, silence, options?.signal),
      ),
    tag: (image, reference) =>
      client.ask(`tagging ${image} as ${reference}`, async (docker) => {
        await ifHeld(image, tag(imageNamed(docker, image), reference));
      }),
    remove: (image, { force = false, keepParents = false } = {}) =>
      client.ask(`removing the image ${image}`, (docker) =>
        remove(docker, image, { force, noprune: keepParents }),
      ),
  };
}

/**
 * What an engine does not answer because an image goes just then, it answers when it is asked again: the containerd store
 * has many words for what it has "not found" of one. Damage stays an error: it is there each time.
 */
function whileOthersGo<T>(ask: () => Promise<T>): Promise<T> {
  const goes = /layer does not exist|not found|already exists, but accessing it also failed/i;
  return askAgain(ask, { whilePassing: (error) => goes.test(String(error)), seconds: 0.5 });
}

async function listImages(docker: Docker): Promise<ImageSummary[]> {
  const images = await docker.listImages();
  return images.map((image) => ({
    id: image.Id,
    tags: named(image.RepoTags),
    repoDigests: named(image.RepoDigests),
    size: image.Size,
    created: new Date(image.Created * 1000),
  }));
}

async function inspect(docker: Docker, text: string): Promise<ImageDetails | undefined> {
  const reference = imageReference(text);
  if (reference === undefined) return undefined;
  const image = await docker.getImage(reference).inspect().catch(undefinedIfMissing);
  if (image === undefined) return undefined;
  return {
    id: image.Id,
    tags: named(image.RepoTags),
    repoDigests: named(image.RepoDigests),
    size: image.Size,
    created: new Date(image.Created),
    os: image.Os,
    architecture: image.Architecture,
    diffIds: image.RootFS?.Layers ?? [],
    labels: image.Config?.Labels ?? {},
    entrypoint: [image.Config?.Entrypoint ?? []].flat(),
    command: image.Config?.Cmd ?? [],
    user: image.Config?.User ?? '',
  };
}

function tag(image: Docker.Image, reference: string): Promise<unknown> {
  return whileOthersGo(() => image.tag(repositoryAndTag(reference)));
}

async function save(
  docker: Docker,
  references: readonly string[],
  silence: number,
  signal?: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const names = references.map((text) => {
    const reference = imageReference(text);
    if (reference === undefined) throw notFound('image', text);
    return reference;
  });
  try {
    const limit = { silence, late: () => hung(references, silence) };
    const answer = await whileOthersGo(() => answerInTime(docker, { names }, limit, signal));
    return inLargePieces(answer, limit);
  } catch (error) {
    if (signal?.aborted) throw interruption(`saving ${references.join(', ')}`, signal);
    throw isMissing(error)
      ? new NotFoundError(`there is no image ${references.join(' or ')}`, { cause: error })
      : error;
  }
}

/** Some engines collect all of the images before they say a word. */
async function answerInTime(
  docker: Docker,
  options: Record<string, unknown>,
  { silence, late }: SilenceLimit,
  signal?: AbortSignal,
): Promise<Readable> {
  const giveUp = new AbortController();
  const either = signal === undefined ? giveUp.signal : AbortSignal.any([signal, giveUp.signal]);
  return within(silence, streamAnswer(docker, '/images/get', options, either), () => {
    giveUp.abort();
    return late();
  });
}

function hung(references: readonly string[], silence: number): FailedError {
  const long = silence < 60 ? `${silence} seconds` : `${silence / 60} minutes`;
  return new FailedError(`saving ${references.join(', ')}: the engine gave nothing for ${long}`, {
    advice: 'See whether docker info answers; an engine that hangs must be restarted',
    facts: { references, silence },
  });
}

async function remove(
  docker: Docker,
  text: string,
  options: { force: boolean; noprune: boolean },
): Promise<void> {
  await ifHeld(text, imageNamed(docker, text).remove(options));
}

/** @throws {NotFoundError} where the engine says in any of its ways that it has no such image */
async function ifHeld(image: string, answer: Promise<unknown>): Promise<void> {
  const held = await answer.catch(undefinedIfMissing);
  if (held === undefined) throw notFound('image', image);
}

function undefinedIfMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

/**
 * `save` answers 500 where other requests answer 404, and all of them 400 to what the engine takes for no reference. The
 * classic store keeps the name of an image that others pruned while it was tagged, and then finds nothing under it.
 */
function isMissing(error: unknown): boolean {
  if (statusOf(error) === 404) return true;
  return /No such image|reference does not exist|invalid reference format|failed to get digest \S+ open .* no such file|unrecognized image ID/i.test(
    String(error),
  );
}

function imageNamed(docker: Docker, text: string): Docker.Image {
  const reference = imageReference(text);
  if (reference === undefined) throw notFound('image', text);
  return docker.getImage(reference);
}

/** A colon after the last slash begins the tag; one before it belongs to a registry's port. */
function repositoryAndTag(reference: string): { repo: string; tag?: string } {
  const colon = reference.indexOf(':', reference.lastIndexOf('/') + 1);
  if (colon < 0) return { repo: reference };
  return { repo: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}

/** Older engines put `<none>:<none>` where newer ones put nothing. */
function named(references: readonly string[] | null | undefined): string[] {
  return (references ?? []).filter((reference) => !reference.includes('<none>'));
}

import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Archive } from '../archive/archive.ts';
import { openArchive } from '../archive/archive.ts';
import type { ArchiveImage, ImageIndex } from '../archive/image-index.ts';
import type { ArchiveInput } from '../archive/input.ts';
import type { Engine, EngineInfo } from '../engine/engine.ts';
import type { Platform } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Context } from '../support/context.ts';
import { makeDirectoryDurably } from '../support/durable.ts';
import { InterruptedError } from '../support/errors.ts';
import { acquireLock } from '../support/lock.ts';
import type { Catalog, CatalogImage, ReleaseRecord } from './catalog.ts';
import { chosenImages, movedTags } from './choose-images.ts';
import { type EngineImages, engineImages } from './engine-images.ts';
import { checkLoaded } from './load-check.ts';
import { manifestOf } from './load-documents.ts';
import { undoLoad } from './load-undo.ts';
import { oneWayStream, type SentImage } from './one-way-stream.ts';
import { releaseLabel } from './release-label.ts';

export interface LoadOptions {
  engine: Engine;
  catalog: Catalog;
  /** Which release the images belong to; else the bundle, else their common tag says it. */
  release?: string | undefined;
  /** Shell patterns of references; only images that match one are loaded. */
  select?: readonly string[];
}

export interface LoadReport {
  archives: LoadedArchive[];
}

export interface LoadedArchive {
  archive: string;
  release: string;
  images: LoadedImage[];
  /** Tags that pointed at another image before. */
  moved: MovedTag[];
}

export interface LoadedImage {
  references: string[];
  config: Digest;
  platform: Platform;
  /** The engine had it already. */
  present: boolean;
}

export interface MovedTag {
  reference: string;
  /** The engine's id of the image it pointed at. */
  from: string;
}

/**
 * Loads image archives, one after the other, and records their images in the catalog. An archive is loaded whole or not at
 * all: everything is verified before the engine is told to keep it, and what an engine did in spite of a
 * failure is undone.
 *
 * @throws {DamagedError} when bytes, digests or documents of an archive are wrong
 * @throws {UsageError} when an archive's format is not read, or its release cannot be told
 * @throws {InterruptedError} when `context.signal` aborted; the engine is as before
 */
export async function loadImages(
  inputs: readonly ArchiveInput[],
  options: LoadOptions,
  context: Context,
): Promise<LoadReport> {
  await makeDirectoryDurably(context.stateDir);
  const lock = acquireLock(join(context.stateDir, 'images.lock'), {
    mode: 'exclusive',
    purpose: 'images load',
    now: context.now(),
  });
  try {
    const archives: LoadedArchive[] = [];
    for (const input of inputs) archives.push(await loadArchive(input, options, context));
    return { archives };
  } finally {
    lock.release();
  }
}

async function loadArchive(
  input: ArchiveInput,
  options: LoadOptions,
  context: Context,
): Promise<LoadedArchive> {
  const name = typeof input === 'string' ? input : input.name;
  const task = context.progress.begin(`loading ${name}`, { unit: 'bytes' });
  try {
    const archive = await openArchive(input, task);
    try {
      if (archive.size !== undefined) task.setTotal(archive.size);
      return await new Load(archive, options, context).run();
    } finally {
      await archive.close();
    }
  } finally {
    task.end();
  }
}

/** One archive on its way into the engine. */
class Load {
  private readonly archive: Archive;
  private readonly options: LoadOptions;
  private readonly context: Context;
  private release = '';
  private moved: MovedTag[] = [];
  /** Set once everything was verified and the engine is told to keep it. */
  private sent: SentImage[] | undefined;

  constructor(archive: Archive, options: LoadOptions, context: Context) {
    this.archive = archive;
    this.options = options;
    this.context = context;
  }

  async run(): Promise<LoadedArchive> {
    const { engine } = this.options;
    const [info, before] = await Promise.all([engine.info(), engineImages(engine)]);
    try {
      await this.stream(info, before);
      this.stopIfInterrupted();
      const images = await checkLoaded(engine, this.sent!, before);
      await this.record();
      return { archive: this.archive.name, release: this.release, images, moved: this.moved };
    } catch (error) {
      if (this.sent !== undefined) await undoLoad(engine, this.sent, before);
      throw error;
    }
  }

  /** Until it is complete, an interruption breaks the stream; afterwards the engine cannot be stopped, only undone. */
  private async stream(info: EngineInfo, before: EngineImages): Promise<void> {
    const choose = (index: ImageIndex) => this.choose(index, info, before);
    const bytes = Readable.from(
      oneWayStream(this.archive, choose, (images) => {
        this.stopIfInterrupted();
        this.sent = images;
      }),
      { objectMode: false, highWaterMark: 1 << 20 },
    );
    const interrupt = () => {
      if (this.sent === undefined) bytes.destroy(this.interruption());
    };
    this.context.signal.addEventListener('abort', interrupt);
    try {
      this.stopIfInterrupted();
      await this.options.engine.images.load(bytes);
    } finally {
      this.context.signal.removeEventListener('abort', interrupt);
    }
  }

  private async choose(index: ImageIndex, info: EngineInfo, before: EngineImages): Promise<ArchiveImage[]> {
    const images = chosenImages(index, {
      name: this.archive.name,
      select: this.options.select,
      platform: info,
    });
    this.release = releaseLabel(
      this.options.release,
      undefined,
      images.flatMap(({ references }) => references),
    );
    this.moved = movedTags(images, before.byTag);
    for (const { reference } of this.moved) {
      this.context.progress.warn(`${reference} pointed at another image and moves to this one`);
    }
    return images;
  }

  private async record(): Promise<void> {
    const { catalog } = this.options;
    const known = (await catalog.releases()).find(({ release }) => release === this.release);
    await catalog.record(mergedRecord(known, this.newRecord()));
  }

  private newRecord(): ReleaseRecord {
    const images = this.sent!.map(({ image, layers }): CatalogImage => {
      const replaced = this.moved.filter(({ reference }) => image.references.includes(reference));
      return {
        references: image.references,
        platform: image.platform,
        config: image.config.digest,
        manifest: manifestOf(image, layers).descriptor.digest,
        layers: layers.map(({ diffId, digest, size }) => ({ diffId, digest, size })),
        ...(replaced.length > 0 && {
          replaced: replaced.map(({ reference, from }) => ({ reference, id: from })),
        }),
      };
    });
    return { release: this.release, loaded: this.context.now().toISOString(), images };
  }

  private stopIfInterrupted(): void {
    if (this.context.signal.aborted) throw this.interruption();
  }

  private interruption(): InterruptedError {
    return new InterruptedError(`loading ${this.archive.name} was interrupted: the engine is as before`);
  }
}

/** A release may come in several archives: images add up, a reference belongs to the one that was loaded last. */
function mergedRecord(known: ReleaseRecord | undefined, added: ReleaseRecord): ReleaseRecord {
  const taken = new Set(added.images.flatMap(({ references }) => references));
  const configs = new Set(added.images.map(({ config }) => config));
  const kept = (known?.images ?? [])
    .filter(({ config }) => !configs.has(config))
    .map((image) => ({ ...image, references: image.references.filter((reference) => !taken.has(reference)) }))
    .filter(({ references }) => references.length > 0);
  return { ...added, images: [...kept, ...added.images] };
}

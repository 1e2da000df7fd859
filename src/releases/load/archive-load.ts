import { Readable } from 'node:stream';
import type { Archive } from '../../archive/archive.ts';
import { type ArchiveIndex, indexArchive } from '../../archive/index/archive-index.ts';
import type { ArchiveImage, ImageIndex } from '../../archive/index/image-index.ts';
import { type IndexCache, openIndexCache } from '../../archive/index/index-cache.ts';
import { indexOneWay } from '../../archive/index/one-way-index.ts';
import { Spool } from '../../archive/spool.ts';
import type { EngineInfo } from '../../engine/engine.ts';
import { unpacksLayers } from '../../engine/images/unpacks.ts';
import type { Context } from '../../support/context.ts';
import { FailedError, InterruptedError } from '../../support/errors.ts';
import type { ProgressTask } from '../../support/progress.ts';
import { indexCacheDirectory, type ReleaseRecord } from '../catalog/catalog.ts';
import { releaseLabel } from '../catalog/release-label.ts';
import { isOlderRelease } from '../catalog/release-order.ts';
import { chosenImages } from '../choose-images.ts';
import { type EngineImages, engineImages } from '../engine-images.ts';
import { type Holdings, holdingsOf, nothing } from '../holdings/holdings.ts';
import { storedImages, type WantedImages } from '../holdings/stored-images.ts';
import { requireSigner } from '../signatures.ts';
import { checkLoaded } from './check.ts';
import type { SentImage } from './documents.ts';
import { indexedStream } from './indexed-stream.ts';
import type { LoadedArchive, LoadedImage, LoadOptions, MovedTag } from './load.ts';
import { oneWayStream } from './one-way-stream.ts';
import { PassedFiles } from './passed-files.ts';
import { canSendMore, type PlannedLoad, planLoad } from './plan.ts';
import { mergedRecord, recordOf } from './record.ts';
import { isInPlace, replacedTags } from './replaced-tags.ts';
import { requireSpace, roomFor } from './space.ts';
import { keepReplaced, releaseReplaced, undoLoad } from './undo.ts';
import { unverifiedLayers } from './unverified-layers.ts';

/** One archive on its way into the engine. */
export class ArchiveLoad {
  private readonly archive: Archive;
  private readonly options: LoadOptions;
  private readonly context: Context;
  private readonly task: ProgressTask;
  private readonly cache: IndexCache;
  private release = '';
  private moved: MovedTag[] = [];
  private bytes = 0;
  /** Set once everything was verified and the engine is told to keep it. */
  private sent: SentImage[] | undefined;

  constructor(archive: Archive, options: LoadOptions, context: Context, task: ProgressTask) {
    this.archive = archive;
    this.options = options;
    this.context = context;
    this.task = task;
    this.cache = openIndexCache(indexCacheDirectory(context.stateDir));
  }

  async run(): Promise<LoadedArchive> {
    const { engine, catalog } = this.options;
    const info = await engine.info();
    const [before, known] = await Promise.all([engineImages(engine, info), catalog.releases()]);
    if (this.options.planOnly) return await this.plan(info, before, known);
    try {
      const images = await this.loadAndCheck(info, before, known);
      const record = recordOf(this.release, this.sent!, this.moved, info.store, this.context.now());
      const same = known.find(({ release }) => release === this.release);
      await catalog.record(mergedRecord(same, record));
      return {
        archive: this.archive.name,
        release: this.release,
        images,
        moved: this.moved,
        sent: this.bytes,
      };
    } catch (error) {
      await this.undo(before);
      throw error;
    } finally {
      await releaseReplaced(engine, before);
    }
  }

  private async plan(
    info: EngineInfo,
    before: EngineImages,
    known: readonly ReleaseRecord[],
  ): Promise<LoadedArchive> {
    const { archive } = this;
    const { seekable } = archive;
    const index = seekable
      ? await indexArchive({ ...archive, seekable }, this.cache)
      : await indexOneWay(archive, { stopAtLayers: false });
    const chosen = await this.choose(index.index, info, known);
    const holdings = await this.holdings(
      { images: chosen, release: index.index.release },
      info,
      before,
      known,
    );
    const plan = planLoad(archive.name, index, chosen, holdings);
    if (!isInPlace(plan, before)) this.noteMoved(plan.images, before);
    await requireSpace(plan, info);
    const images = plan.images.map(({ image: { references, platform, config }, held }) => {
      return { references, platform, config: config.digest, present: held !== undefined };
    });
    const sent = plan.send.reduce((sum, { file }) => sum + file.size, 0);
    return { archive: archive.name, release: this.release, images, moved: this.moved, sent };
  }

  private async loadAndCheck(
    info: EngineInfo,
    before: EngineImages,
    known: readonly ReleaseRecord[],
  ): Promise<LoadedImage[]> {
    const { archive } = this;
    if (archive.seekable === undefined) {
      await this.loadOneWay(info, before, known);
      return await this.check(before);
    }
    const index = await indexArchive({ ...archive, seekable: archive.seekable }, this.cache);
    const chosen = await this.choose(index.index, info, known);
    const holdings = await this.holdings(
      { images: chosen, release: index.index.release },
      info,
      before,
      known,
    );
    const plan = planLoad(archive.name, index, chosen, holdings);
    try {
      await this.sendPlanned(index, plan, info, before);
      return await this.check(before);
    } catch (error) {
      // An engine may have lost a layer that we know of: it then refuses, or keeps an image without it.
      if (!(error instanceof FailedError) || !canSendMore(plan)) throw error;
      await this.undo(before);
      await this.sendPlanned(index, planLoad(archive.name, index, chosen, nothing), info, before);
      return await this.check(before);
    }
  }

  private async check(before: EngineImages): Promise<LoadedImage[]> {
    this.stopIfInterrupted();
    return await checkLoaded(this.options.engine, this.sent!, before);
  }

  private async undo(before: EngineImages): Promise<void> {
    if (this.sent !== undefined) await undoLoad(this.options.engine, this.sent, before);
    this.sent = undefined;
  }

  private async sendPlanned(
    index: ArchiveIndex,
    plan: PlannedLoad,
    info: EngineInfo,
    before: EngineImages,
  ): Promise<void> {
    if (isInPlace(plan, before)) {
      this.sent = plan.images;
      return;
    }
    this.noteMoved(plan.images, before);
    await keepReplaced(this.options.engine, this.moved, before);
    this.bytes = plan.send.reduce((sum, { file }) => sum + file.size, 0);
    await requireSpace(plan, info);
    this.task.setTotal(this.bytes);
    this.archive.seekable!.expect(plan.send.map(({ file }) => ({ offset: file.offset, length: file.size })));
    const source = {
      archive: this.archive.name,
      content: index.content,
      onRead: (bytes: number) => this.task.advance(bytes),
      onUnpacked: (await roomFor(info)).unpacked,
      unpacks: (compression: string) => unpacksLayers(info, compression),
    };
    await this.stream((commit) => indexedStream(plan, source, commit));
  }

  private async loadOneWay(
    info: EngineInfo,
    before: EngineImages,
    known: readonly ReleaseRecord[],
  ): Promise<void> {
    if (this.archive.size !== undefined) this.task.setTotal(this.archive.size);
    const passed = new PassedFiles(this.archive.name, {
      room: await roomFor(info),
      unpacks: (compression) => unpacksLayers(info, compression),
      spool: new Spool(this.context.stateDir),
    });
    await this.stream((commit) =>
      oneWayStream(this.archive, passed, {
        choose: (index) => this.choose(index, info, known),
        holdings: (wanted) => this.holdings(wanted, info, before, known),
        commit: async (images) => {
          this.noteMoved(images, before);
          await keepReplaced(this.options.engine, this.moved, before);
          commit(images);
        },
      }),
    );
    this.bytes = passed.sent;
  }

  /** Until it is complete, an interruption breaks the stream; afterwards the engine cannot be stopped, only undone. */
  private async stream(
    make: (commit: (images: SentImage[]) => void) => AsyncGenerator<Uint8Array>,
  ): Promise<void> {
    const commit = (images: SentImage[]) => {
      this.stopIfInterrupted();
      this.sent = images;
    };
    const bytes = Readable.from(make(commit), { objectMode: false, highWaterMark: 8 << 20 });
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

  /** Everything that may refuse an archive before the engine keeps anything of it. */
  private async choose(
    index: ImageIndex,
    info: EngineInfo,
    known: readonly ReleaseRecord[],
  ): Promise<ArchiveImage[]> {
    const { name } = this.archive;
    const { release: bundle } = index;
    const signed = bundle && { document: bundle.bytes, signature: bundle.signature };
    await requireSigner(signed, this.options.signers, name);
    const images = chosenImages(index, { name, select: this.options.select, platform: info });
    this.warnOfUnverified({ ...index, images });
    const references = images.flatMap((image) => image.references);
    this.release = releaseLabel(this.options.release, bundle?.document.release, references);
    const current = known.at(-1)?.release;
    if (current !== undefined && isOlderRelease(this.release, current)) {
      await this.options.confirm?.(
        `load release ${this.release}, which is older than the current ${current}`,
      );
    }
    return images;
  }

  private async holdings(
    wanted: WantedImages,
    info: EngineInfo,
    before: EngineImages,
    known: readonly ReleaseRecord[],
  ): Promise<Holdings> {
    const asked = { engine: this.options.engine, info, signal: this.context.signal };
    return holdingsOf(before, known, await storedImages(before, known, wanted, asked));
  }

  private warnOfUnverified(index: ImageIndex): void {
    const layers = unverifiedLayers(index);
    if (layers === 0) return;
    const which = layers === 1 ? 'layer' : `${layers} layers`;
    this.context.progress.warn(
      `${this.archive.name}: its ${which} cannot be verified, for docker save up to 1.9 wrote no digests`,
    );
  }

  private noteMoved(images: readonly SentImage[], before: EngineImages): void {
    this.moved = replacedTags(images, before);
    for (const { reference } of this.moved) {
      this.context.progress.warn(`${reference} was another image and becomes this one`);
    }
  }

  private stopIfInterrupted(): void {
    if (this.context.signal.aborted) throw this.interruption();
  }

  private interruption(): InterruptedError {
    return new InterruptedError(`loading ${this.archive.name} was interrupted: the engine is as before`);
  }
}

import { Readable } from 'node:stream';
import type { Archive } from '../../../archive/archive.ts';
import type { ArchiveIndex } from '../../../archive/index/archive-index.ts';
import { Spool } from '../../../archive/spool.ts';
import type { Engine } from '../../../engine/engine.ts';
import { unpacksLayers } from '../../../engine/images/unpacks.ts';
import type { Context } from '../../../support/context.ts';
import { InterruptedError } from '../../../support/errors.ts';
import type { ProgressTask } from '../../../support/progress.ts';
import type { Before } from '../before.ts';
import type { LoadedImage, ReplacedTag } from '../load.ts';
import type { PlannedLoad } from '../plan/plan.ts';
import { requireSpace, roomFor } from '../plan/space.ts';
import { NothingToKeep } from '../stream/closing.ts';
import type { SentImage } from '../stream/documents.ts';
import { indexedStream } from '../stream/indexed-stream.ts';
import { type Decisions, oneWayStream } from '../stream/one-way-stream.ts';
import { PassedFiles } from '../stream/passed-files.ts';
import { checkLoaded } from './check.ts';
import { keepReplaced, nameHeld, warnOfReplaced } from './tags.ts';
import { undoLoad } from './undo.ts';

/** The way of one archive's images into the engine, and back out of it. */
export class Transfer {
  /** Tags that pointed at another image before. */
  moved: ReplacedTag[] = [];
  /** Of layers that were sent. */
  bytes = 0;
  /** Set once everything was verified and the engine is told to keep it. */
  sent: SentImage[] | undefined;
  readonly #archive: Archive;
  readonly #before: Before;
  readonly #engine: Engine;
  readonly #context: Context;
  readonly #task: ProgressTask;

  constructor(archive: Archive, before: Before, engine: Engine, context: Context, task: ProgressTask) {
    this.#archive = archive;
    this.#before = before;
    this.#engine = engine;
    this.#context = context;
    this.#task = task;
  }

  /** Sends what the engine lacks of an archive that can be read anywhere. */
  async sendPlanned(index: ArchiveIndex, plan: PlannedLoad): Promise<void> {
    const { info } = this.#before;
    await this.#keepReplaced(plan.images);
    if (plan.images.every(({ held }) => held !== undefined)) {
      this.sent = plan.images;
      return await nameHeld(this.#engine, this.sent);
    }
    this.bytes = plan.send.reduce((sum, { file }) => sum + file.size, 0);
    await requireSpace(plan, info);
    this.#task.setTotal(this.bytes);
    this.#archive.seekable!.expect(plan.send.map(({ file }) => ({ offset: file.offset, length: file.size })));
    const source = {
      archive: this.#archive.name,
      content: index.content,
      onRead: (bytes: number) => this.#task.advance(bytes),
      onUnpacked: (await roomFor(info)).unpacked,
      unpacks: (compression: string) => unpacksLayers(info, compression),
    };
    await this.#stream((commit) => indexedStream(plan, source, commit));
  }

  /** Passes an archive on that can be read only once. */
  async passOn(decide: Omit<Decisions, 'commit'>): Promise<void> {
    const { info } = this.#before;
    if (this.#archive.size !== undefined) this.#task.setTotal(this.#archive.size);
    const passed = new PassedFiles(this.#archive.name, {
      room: await roomFor(info),
      unpacks: (compression) => unpacksLayers(info, compression),
      spool: new Spool(this.#context.stateDir),
    });
    await this.#stream((commit) =>
      oneWayStream(this.#archive, passed, {
        ...decide,
        commit: async (images) => {
          await this.#keepReplaced(images);
          commit(images);
        },
      }),
    );
    this.bytes = passed.sent;
  }

  /** What the engine has now. Throws when it is not what was sent. */
  async check(): Promise<LoadedImage[]> {
    this.#stopIfInterrupted();
    return await checkLoaded(this.#engine, this.sent!, this.#before.images);
  }

  /** Takes back what the engine made of it. */
  async undo(): Promise<void> {
    if (this.sent !== undefined) await undoLoad(this.#engine, this.sent, this.#before.images);
    this.sent = undefined;
  }

  async #keepReplaced(images: readonly SentImage[]): Promise<void> {
    this.moved = warnOfReplaced(images, this.#before.images, this.#context.progress);
    await keepReplaced(this.#engine, this.moved, this.#before.images);
  }

  /** Until it is complete, an interruption breaks the stream; afterwards the engine cannot be stopped, only undone. */
  async #stream(make: (commit: (images: SentImage[]) => void) => AsyncGenerator<Uint8Array>): Promise<void> {
    const commit = (images: SentImage[]) => {
      this.#stopIfInterrupted();
      this.sent = images;
    };
    const bytes = Readable.from(make(commit), { objectMode: false, highWaterMark: 8 << 20 });
    const interrupt = () => {
      if (this.sent === undefined) bytes.destroy(this.#interruption());
    };
    this.#context.signal.addEventListener('abort', interrupt);
    try {
      this.#stopIfInterrupted();
      await this.#engine.images.load(bytes);
    } catch (error) {
      if (!(error instanceof NothingToKeep)) throw error;
    } finally {
      this.#context.signal.removeEventListener('abort', interrupt);
    }
    await nameHeld(this.#engine, this.sent!);
  }

  #stopIfInterrupted(): void {
    if (this.#context.signal.aborted) throw this.#interruption();
  }

  #interruption(): InterruptedError {
    return new InterruptedError(`loading ${this.#archive.name} was interrupted: the engine is as before`);
  }
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BundleFormat } from '../../../src/archive/compress/block-format.ts';
import type { Engine, EngineInfo } from '../../../src/engine/engine.ts';
import { type Catalog, openCatalog } from '../../../src/releases/catalog/catalog.ts';
import { type LoadOptions, type LoadReport, loadImages } from '../../../src/releases/load/load.ts';
import { type SaveRequest, saveImages } from '../../../src/releases/save/save.ts';
import type { Context } from '../../../src/support/context.ts';
import { silent } from '../../../src/support/progress.ts';
import { docker25 } from '../../archive/fixtures/eras.ts';
import { type FixtureImage, type FixtureOptions, fixtureImage } from '../../archive/fixtures/images.ts';
import { type Entry, tarOf } from '../../archive/fixtures/tar.ts';
import { throwawayEngine } from '../../support/engine.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { engineOfEra } from '../era-engine.ts';

/** What every case of loading stands on. */
export interface LoadGround {
  engine: Engine;
  store: EngineInfo['store'];
  /** A host that has loaded nothing yet. */
  host(options?: { signal?: AbortSignal }): LoadingHost;
  /** An image with names and contents of its own, so that no other test's layers are there already. */
  newImage(options?: FixtureOptions & { tag?: string }): Promise<FixtureImage>;
  archiveOf(entries: readonly Entry[]): Promise<{ path: string; bytes: Buffer }>;
  bundleOf(image: FixtureImage, format: BundleFormat): Promise<Buffer>;
  assertHeld(image: FixtureImage): Promise<void>;
  imagesHere(): Promise<string[]>;
  removeLoaded(report: LoadReport): Promise<void>;
}

export interface LoadingHost {
  catalog: Catalog;
  load(input: string | Buffer, options?: Partial<LoadOptions>): Promise<LoadReport>;
  warnings: string[];
}

/** An engine of its own: what it holds is compared before and after, and others would come between. */
export async function loadGround(test: Test, store: EngineInfo['store']): Promise<LoadGround> {
  const { engine, stop } = await throwawayEngine(`load-${store}`, { store });
  test.after(stop);
  const directory = temporaryDirectory();
  let made = 0;

  function host({ signal = new AbortController().signal }: { signal?: AbortSignal } = {}) {
    made += 1;
    const stateDir = join(directory, `state-${made}`);
    mkdirSync(stateDir);
    const warnings: string[] = [];
    const progress = { ...silent, warn: (message: string) => void warnings.push(message) };
    const context: Context = { progress, signal, now: () => new Date('2026-01-01'), stateDir };
    const catalog = openCatalog(stateDir);
    const load = (input: string | Buffer, options: Partial<LoadOptions> = {}) => {
      const inputs = [typeof input === 'string' ? input : { name: '-', stream: Readable.from([input]) }];
      return loadImages(inputs, { engine, catalog, ...options }, context);
    };
    return { catalog, load, warnings };
  }

  async function newImage({
    tag = '1.4',
    ...options
  }: FixtureOptions & { tag?: string } = {}): Promise<FixtureImage> {
    made += 1;
    const name = `dockerctl-load-test/${process.pid}-${made}:${tag}`;
    const contents = [`${name} lowest`, `${name} top`, `${name} lowest`];
    return await fixtureImage({ references: [name], contents, ...options });
  }

  async function archiveOf(entries: readonly Entry[]): Promise<{ path: string; bytes: Buffer }> {
    made += 1;
    const path = join(directory, `${made}.tar`);
    const bytes = await tarOf(entries);
    writeFileSync(path, bytes);
    return { path, bytes };
  }

  async function bundleOf(image: FixtureImage, format: BundleFormat): Promise<Buffer> {
    const stream = new PassThrough();
    const bytes = buffer(stream);
    const { references } = image;
    const context = { progress: silent, signal: new AbortController().signal, now: () => new Date(0) };
    const request: SaveRequest = {
      images: references,
      format,
      target: { kind: 'stream', stream },
      tool: 'test',
    };
    await saveImages(engineOfEra(docker25, [image]), request, { ...context, stateDir: directory });
    stream.end();
    return await bytes;
  }

  async function assertHeld(image: FixtureImage): Promise<void> {
    const held = await engine.images.inspect(image.references[0]!);
    const diffIds = image.layers.map(({ diffId }) => diffId);
    assert.equal(held?.diffIds, diffIds);
  }

  async function imagesHere(): Promise<string[]> {
    const images = await engine.images.list();
    return images.map(({ id, tags }) => `${id} ${tags.sort()}`).sort();
  }

  async function removeLoaded({ archives }: LoadReport): Promise<void> {
    const references = archives.flatMap(({ images }) => images.flatMap((image) => image.references));
    for (const reference of references) await engine.images.remove(reference);
  }

  return { engine, store, host, newImage, archiveOf, bundleOf, assertHeld, imagesHere, removeLoaded };
}

/** In the middle, where a layer has its file's content and JSON a digest or a name. */
export function flipped(content: Buffer): Buffer {
  const copy = Buffer.from(content);
  copy[copy.length >> 1] = copy[copy.length >> 1]! ^ 1;
  return copy;
}

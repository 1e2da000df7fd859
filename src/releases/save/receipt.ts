import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Engine, EngineInfo, ImageDetails } from '../../engine/engine.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { codeOf, DamagedError, messageOf, NotFoundError } from '../../support/errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { engineImages, layersFoundAgain } from '../engine-images.ts';
import type { DeltaBase } from './delta.ts';

/** What a host has, written down so that somebody else can leave it out (docs/bundle-format.md, "Deltas"). */
export interface Receipt {
  tool: string;
  host: string;
  /** ISO 8601. */
  made: string;
  /** Of the catalog, the one that was loaded last at the end. */
  releases: string[];
  images: ReceiptImage[];
}

export interface ReceiptImage {
  references: string[];
  /** Where the engine tells it. */
  config?: Digest | undefined;
  /** Diff ids, lowest first. */
  layers: Digest[];
}

const schema = 1;

/**
 * Asks the engine what it has. Of a containerd store, only what dockerctl loaded counts: of anything else nobody can tell whether its
 * layers are there in the form that a bundle has them in.
 * @returns the receipt, and the names of images whose layers could not all be counted
 */
export async function writeReceipt(
  { engine, catalog }: { engine: Engine; catalog: Catalog },
  { tool, host, now }: { tool: string; host: string; now: Date },
): Promise<{ receipt: Receipt; uncounted: string[] }> {
  const info = await engine.info();
  const [held, releases] = await Promise.all([engineImages(engine, info), catalog.releases()]);
  const counted = held.all.map((image) => ({ image, layers: layersFoundAgain(image, held, releases) }));
  const images = counted
    .filter(({ image, layers }) => layers.length > 0 || image.diffIds.length === 0)
    .map(({ image, layers }) => receiptImage(image, layers, info))
    .sort(byNameAndLayers);
  const uncounted = counted
    .filter(({ image, layers }) => layers.length < image.diffIds.length)
    .map(({ image }) => image.tags[0] ?? image.id);
  const labels = releases.map(({ release }) => release);
  return { receipt: { tool, host, made: now.toISOString(), releases: labels, images }, uncounted };
}

export function encodeReceipt({ tool, host, made, releases, images }: Receipt): string {
  return `${JSON.stringify({ schema, tool, host, made, releases, images }, undefined, 2)}\n`;
}

/**
 * @throws {NotFoundError} when there is no such file
 * @throws {DamagedError} when it is no receipt
 */
export async function readReceipt(path: string): Promise<Receipt> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    if (codeOf(cause) !== 'ENOENT') throw cause;
    throw new NotFoundError(`reading the receipt ${path}: there is no such file`, { cause });
  });
  try {
    const { schema: _, ...receipt } = shape.parse(JSON.parse(text));
    return receipt;
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? cause.issues[0]?.message : messageOf(cause);
    throw new DamagedError(`reading the receipt ${path}: it is none (${reason})`, {
      advice: 'Write one on the receiving host with dockerctl images receipt -o FILE',
      cause,
    });
  }
}

/** What a receipt says, as the base of a delta. */
export function baseOfReceipt({ releases, images }: Receipt): DeltaBase {
  return { release: releases.at(-1), images };
}

/** On the classic store an image's id is its config's digest; the containerd store has no word for that. */
function receiptImage({ id, tags }: ImageDetails, layers: Digest[], { store }: EngineInfo): ReceiptImage {
  const config = store === 'classic' && isDigest(id) ? { config: id } : {};
  return { references: [...tags].sort(), ...config, layers };
}

function byNameAndLayers(a: ReceiptImage, b: ReceiptImage): number {
  const [left, right] = [a, b].map(({ references, layers }) => [references[0] ?? '~', ...layers].join(' '));
  return left! < right! ? -1 : 1;
}

const digest = z.custom<Digest>(isDigest, 'has something else than a sha256 digest');

const shape = z.object({
  schema: z.literal(schema, 'is of a schema that this dockerctl does not know'),
  tool: z.string(),
  host: z.string(),
  made: z.string(),
  releases: z.array(z.string()),
  images: z.array(
    z.object({
      references: z.array(z.string()),
      config: digest.optional(),
      layers: z.array(digest),
    }),
  ),
});

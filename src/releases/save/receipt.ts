import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import type { EngineInfo, ImageDetails } from '../../engine/engine.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { codeOf, DamagedError, messageOf, NotFoundError } from '../../support/errors.ts';
import { engineImages } from '../engine-images.ts';
import type { ImageHost } from '../image-host.ts';
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
 * Asks the engine what it has. In what form it has a layer is no matter: that is found out when a delta is loaded.
 */
export async function writeReceipt(
  { engine, catalog }: ImageHost,
  { tool, host, now }: { tool: string; host: string; now: Date },
): Promise<Receipt> {
  const info = await engine.info();
  const [held, releases] = await Promise.all([engineImages(engine, info), catalog.releases()]);
  const images = held.all.map((image) => receiptImage(image, info)).sort(byNameAndLayers);
  const labels = releases.map(({ release }) => release);
  return { tool, host, made: now.toISOString(), releases: labels, images };
}

/** The text of a receipt: JSON that a person can read. */
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
function receiptImage({ id, tags, diffIds }: ImageDetails, { store }: EngineInfo): ReceiptImage {
  const config = store === 'classic' && isDigest(id) ? { config: id } : {};
  return { references: [...tags].sort(), ...config, layers: diffIds.filter(isDigest) };
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

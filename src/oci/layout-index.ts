import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory, writeSynced } from '../support/durable.ts';
import { readSmallFile } from '../support/small-file.ts';
import { type Descriptor, type Index, isDescriptor, mediaTypes } from './descriptor.ts';
import type { Layout } from './layout.ts';

/** Bytes; some 200,000 manifests fit. */
export const indexLimit = 64 * 1024 * 1024;

/** The index, or `undefined` when it is missing or is none. What it names is not checked. */
export async function readIndex({ directory }: Layout): Promise<Index | undefined> {
  return parseIndex(join(directory, 'index.json'));
}

/** The index of a commit that was cut short after this one was written. */
export async function readStagedIndex({ directory }: Layout): Promise<Index | undefined> {
  return parseIndex(join(directory, 'tmp', 'index.json'));
}

/** Writes the text of the next index into staging, durably. */
export async function stageIndex({ directory }: Layout, text: string): Promise<void> {
  await writeSynced(join(directory, 'tmp', 'index.json'), text);
  await syncDirectory(join(directory, 'tmp'));
}

/** Makes the staged index the index. */
export async function publishIndex({ directory }: Layout): Promise<void> {
  await rename(join(directory, 'tmp', 'index.json'), join(directory, 'index.json'));
  await syncDirectory(directory);
}

/** The text of an `index.json` that names these. */
export function encodeIndex(manifests: readonly Descriptor[]): string {
  return `${JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests })}\n`;
}

function parseIndex(path: string): Index | undefined {
  try {
    const index = JSON.parse(readSmallFile(path, indexLimit).toString()) as Partial<Index> | null;
    if (index?.schemaVersion !== 2 || !Array.isArray(index.manifests)) return undefined;
    return index.manifests.every(isDescriptor) ? (index as Index) : undefined;
  } catch {
    return undefined;
  }
}

import { existsSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectoryDurably, syncDirectory, writeFileDurably } from '../../support/durable.ts';
import { codeOf } from '../../support/errors.ts';
import { readSmallFile } from '../../support/small-file.ts';
import { removeEmptyDirectory } from '../swap/directories.ts';
import type { SavedDeployment } from './saved-deployment.ts';

/** A snapshot's deployment file, where the host has none: the restore goes by it, and puts it at its place. */
export interface AdoptedFile extends SavedDeployment {
  /** What it is read with. */
  release?: string | undefined;
}

/** The same in a journal, from which it can be read before it is on disk. */
export interface AdoptedRecord extends AdoptedFile {
  createdDirectories: string[];
}

/** What the journal must know to take the file away again. */
export function recordAdopted(adopted: AdoptedFile): AdoptedRecord {
  return { ...adopted, createdDirectories: missingDirectories(dirname(adopted.file)) };
}

/** Writes it, durably. Whatever is at that path is replaced. */
export async function putAdoptedFile({ file, text }: AdoptedRecord): Promise<void> {
  await makeDirectoryDurably(dirname(file));
  await writeFileDurably(file, text);
}

/** Unless somebody has changed it: then it is theirs. */
export async function takeAdoptedFileAway({ file, text, createdDirectories }: AdoptedRecord): Promise<void> {
  if (holds(file, text)) {
    await unlink(file);
    await syncDirectory(dirname(file));
  }
  for (const directory of createdDirectories.toReversed()) removeEmptyDirectory(directory);
}

/** Not what is no file at all, or gone. @throws what the system says when it cannot be read */
function holds(path: string, text: string): boolean {
  try {
    return readSmallFile(path, Buffer.byteLength(text)).toString() === text;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', undefined].includes(codeOf(error))) return false;
    throw error;
  }
}

/** Topmost first. */
function missingDirectories(directory: string): string[] {
  return existsSync(directory) ? [] : [...missingDirectories(dirname(directory)), directory];
}

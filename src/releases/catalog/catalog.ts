import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Platform } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { makeDirectoryDurably, syncDirectory, writeFileDurably } from '../../support/durable.ts';
import { codeOf, DamagedError, isForbidden, messageOf, NotFoundError } from '../../support/errors.ts';
import { readSmallFile } from '../../support/small-file.ts';
import { checkReleaseLabel } from './release-label.ts';

/** The releases this host knows, one file each in the state directory. */
export interface Catalog {
  /** Oldest load first. @throws {DamagedError} */
  releases(): Promise<ReleaseRecord[]>;
  /** @throws {NotFoundError} naming the releases there are @throws {DamagedError} */
  find(release: string): Promise<ReleaseRecord>;
  /** Replaces what is known of that release; durable when it resolves. */
  record(release: ReleaseRecord): Promise<void>;
  /** Forgets it; no-op when it is not known. */
  forget(release: string): Promise<void>;
}

export interface ReleaseRecord {
  release: string;
  /** When it was last loaded, ISO 8601. */
  loaded: string;
  images: CatalogImage[];
}

export interface CatalogImage {
  /** `name:tag`, as Docker shows them. */
  references: string[];
  platform: Platform;
  /** Digest of its config: what it is, on every engine. */
  config: Digest;
  /** Digest of the manifest (or the index) it was loaded with: its id on the containerd store. */
  manifest: Digest;
  /**
   * Lowest first. `digest` and `size` are those of the bytes that were loaded, `compression` tells of what kind they
   * are.
   */
  layers: { diffId: Digest; digest: Digest; size: number; compression?: string | undefined }[];
  /** Tags that pointed elsewhere before this was loaded, and the engine's id of what they pointed at. */
  replaced?: { reference: string; id: string }[];
}

/**
 * The catalog below `stateDir`; made when the first release is recorded.
 * @param warn is told of a release whose file is damaged, which then counts as never loaded: loading it again mends the
 * file. Without it `releases` throws a `DamagedError`, for whoever removes must know what the others need.
 */
export function openCatalog(stateDir: string, warn?: (problem: string) => void): Catalog {
  const directory = join(stateDir, 'catalog');
  return {
    releases: () => readAll(directory, warn),
    find: (release) => find(directory, release),
    async record(release) {
      await makeDirectoryDurably(directory);
      const text = `${JSON.stringify({ schema, ...release }, undefined, 2)}\n`;
      await writeFileDurably(join(directory, fileName(release.release)), text);
    },
    forget: (release) => forget(directory, release),
  };
}

const schema = 1;

function fileName(release: string): string {
  return `${checkReleaseLabel(release)}.json`;
}

async function readAll(directory: string, warn?: (problem: string) => void): Promise<ReleaseRecord[]> {
  const records = await Promise.all(
    (await fileNames(directory)).map(async (name) => {
      const path = join(directory, name);
      return await readRecord(path).catch((error: unknown) => {
        if (warn === undefined || !(error instanceof DamagedError)) throw error;
        warn(`${error.message}: this release is unknown until it is loaded again`);
        return [];
      });
    }),
  );
  return records
    .flat()
    .sort((a, b) => a.loaded.localeCompare(b.loaded) || a.release.localeCompare(b.release));
}

async function fileNames(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => name.endsWith('.json') && !name.startsWith('.'));
}

/** Of a record, in bytes; those of thousands of images have less. */
const sizeLimit = 64 << 20;

async function readRecord(path: string): Promise<ReleaseRecord> {
  try {
    const text = readSmallFile(path, sizeLimit).toString();
    const { schema: found, ...record } = JSON.parse(text) as ReleaseRecord & { schema: number };
    if (found !== schema) throw new Error(`schema ${found} is not known`);
    const { release, loaded, images } = record;
    if (typeof release !== 'string' || typeof loaded !== 'string' || !Array.isArray(images))
      throw new Error('is no record of a release');
    return record;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || isForbidden(error)) throw error;
    throw new DamagedError(`reading the catalog: ${path}: ${messageOf(error)}`, {
      advice: 'Load that release again, or remove the file',
      facts: { path },
      cause: error,
    });
  }
}

async function find(directory: string, release: string): Promise<ReleaseRecord> {
  try {
    return await readRecord(join(directory, fileName(release)));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  const known = (await readAll(directory, () => {})).map((record) => record.release);
  const advice = known.length === 0 ? 'No release has been loaded yet' : `There are: ${known.join(', ')}`;
  throw new NotFoundError(`the catalog has no release ${release}`, { advice, facts: { release, known } });
}

async function forget(directory: string, release: string): Promise<void> {
  try {
    await unlink(join(directory, fileName(release)));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return;
  }
  await syncDirectory(directory);
}

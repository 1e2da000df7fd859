import { open, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Digest } from '../../oci/digest.ts';
import { DamagedError, NotFoundError } from '../../support/errors.ts';
import { readMedium } from '../medium.ts';
import { openingFailed } from '../opening-failed.ts';
import { parseVolumeHeader, type VolumeHeader, volumeHeaderSize, volumeSetId } from './header.ts';

/** A whole set of volumes, in order. */
export interface VolumeSet {
  /** For messages: the path of the first volume. */
  name: string;
  /** Bytes of the archive. */
  size: number;
  volumes: readonly Volume[];
}

export interface Volume {
  path: string;
  header: VolumeHeader;
}

/**
 * Tells volumes from files that are archives in themselves, and puts those that belong together into sets, in whatever
 * order and directories they are given. Of a set that is not given whole, the rest is looked for beside the volumes
 * that are. What is no regular file, or does not exist, is passed on as it is.
 * @throws {NotFoundError} naming the volumes of a set that are missing
 * @throws {DamagedError} for a volume that is damaged or cut short
 */
export async function groupVolumes(paths: readonly string[]): Promise<(string | VolumeSet)[]> {
  const sets = new Map<Digest, Volume[]>();
  const inputs: (string | Volume[])[] = [];
  for (const path of paths) {
    const volume = await readVolume(path);
    const known = volume && sets.get(volume.header.set);
    if (volume === undefined) inputs.push(path);
    else if (known !== undefined) known.push(volume);
    else {
      const members = [volume];
      sets.set(volume.header.set, members);
      inputs.push(members);
    }
  }
  return await Promise.all(
    inputs.map((input) => (typeof input === 'string' ? input : wholeSet(input, sets))),
  );
}

/** @returns `undefined` when there is no regular file, or one that is no volume */
async function readVolume(path: string): Promise<Volume | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return undefined;
  const file = await open(path, 'r').catch((error: unknown) => {
    throw openingFailed(path, error);
  });
  try {
    const start = Buffer.alloc(volumeHeaderSize);
    const bytesRead = await readMedium(file, path, start, 0);
    const header = parseVolumeHeader(start.subarray(0, bytesRead), path);
    if (header === undefined) return undefined;
    const want = volumeHeaderSize + header.size;
    if (found.size === want) return { path, header };
    throw new DamagedError(`${path}: volume ${header.volume} has ${found.size} bytes, should have ${want}`, {
      advice: 'Copy it again from where it came from',
      facts: { path, got: found.size, want },
    });
  } finally {
    await file.close().catch(() => {}); // It was only read.
  }
}

async function wholeSet(given: readonly Volume[], sets: ReadonlyMap<Digest, Volume[]>): Promise<VolumeSet> {
  const { set, of, total } = given[0]!.header;
  const byNumber = new Map(given.map((volume) => [volume.header.volume, volume]));
  if (byNumber.size < of) await addSiblings(byNumber, given);
  const numbers = Array.from({ length: of }, (_, i) => i + 1);
  const missing = numbers.filter((number) => !byNumber.has(number));
  if (missing.length > 0) throw missingVolumes(given, missing, sets);
  const volumes = numbers.map((number) => byNumber.get(number)!);
  checkHeaders(volumes, set, total);
  return { name: volumes[0]!.path, size: total, volumes };
}

function checkHeaders(volumes: readonly Volume[], set: Digest, total: number): void {
  let offset = 0;
  let agree = volumeSetId(volumes.map(({ header }) => header.sha256)) === set;
  for (const { header } of volumes) {
    agree &&= header.offset === offset && header.total === total && header.of === volumes.length;
    offset += header.size;
  }
  if (agree && offset === total) return;
  throw new DamagedError(`${volumes[0]!.path}: the headers of its set contradict each other`, {
    advice: 'Copy the volumes again from where they came from',
    facts: { set, volumes: volumes.map(({ path }) => path) },
  });
}

/** Looks for volumes of the same set in the directories of those that were given. */
async function addSiblings(byNumber: Map<number, Volume>, given: readonly Volume[]): Promise<void> {
  for (const directory of new Set(given.map(({ path }) => dirname(path)))) {
    const names = await readdir(directory).catch(() => []);
    for (const name of names.filter((candidate) => /\.\d{3,}$/.test(candidate))) {
      const volume = await readVolume(join(directory, name)).catch(() => undefined);
      if (volume?.header.set !== given[0]!.header.set || byNumber.has(volume.header.volume)) continue;
      byNumber.set(volume.header.volume, volume);
    }
  }
}

function missingVolumes(
  given: readonly Volume[],
  missing: readonly number[],
  sets: ReadonlyMap<Digest, Volume[]>,
): NotFoundError {
  const { set, of } = given[0]!.header;
  const strangers = [...sets].flatMap(([other, volumes]) =>
    other === set ? [] : volumes.map(({ path }) => path),
  );
  const which =
    missing.length === 1 ? `volume ${missing[0]} of ${of} is` : `volumes ${missing.join(', ')} of ${of} are`;
  const also = strangers.length === 0 ? '' : `; ${strangers.join(', ')} belong to another set`;
  return new NotFoundError(`${given[0]!.path}: ${which} missing${also}`, {
    advice: 'Give all volumes of the set, in any order',
    facts: { set, missing: missing.map(String), strangers },
  });
}

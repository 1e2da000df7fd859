import { matchesGlob } from 'node:path';
import type { ArchiveImage, ImageIndex } from '../archive/index/image-index.ts';
import type { Platform } from '../oci/descriptor.ts';
import { DamagedError, FailedError, NotFoundError, UsageError } from '../support/errors.ts';

export interface Choice {
  /** Of the archive, for messages. */
  name: string;
  select: readonly string[] | undefined;
  /** The engine's. */
  platform: Platform;
}

/**
 * Which images of an archive are to be loaded: of an image for many platforms the one for this host, and
 * of all of them those that were selected.
 * @throws {FailedError} when a chosen image is for other hosts only
 * @throws {NotFoundError} when a pattern selects nothing
 * @throws {UsageError} when there are no images in it
 * @throws {DamagedError} when the archive names an image for this host and does not hold it
 */
export function chosenImages(index: ImageIndex, choice: Choice): ArchiveImage[] {
  const selected = index.images.filter(({ references }) => isSelected(references, choice.select));
  refuseUnusedPatterns(index, choice);
  refuseWithoutImages(index, choice);
  const fitting = selected.filter(({ platform }) => fits(platform, choice.platform));
  const served = new Set(fitting.flatMap(({ references }) => references));
  for (const { references, descriptor } of index.absent) {
    const concerned = isSelected(references, choice.select) && !references.some((name) => served.has(name));
    if (concerned && fits(descriptor.platform, choice.platform)) {
      throw new DamagedError(
        `${choice.name}: ${references[0] ?? descriptor.digest} is named, but not in the archive`,
        {
          advice: 'The archive was cut short or put together wrongly: get it again from where it came from',
        },
      );
    }
  }
  for (const { references, platform, config } of selected) {
    if (fits(platform, choice.platform) || references.some((name) => served.has(name))) continue;
    if (references.length === 0 && fitting.length > 0) continue;
    const wanted = `${choice.platform.os}/${choice.platform.architecture}`;
    const called = references[0] ?? config.digest;
    throw new FailedError(`${choice.name}: ${called} is for ${nameOf(platform)}, this host is ${wanted}`);
  }
  return fitting;
}

function isSelected(references: readonly string[], select: readonly string[] | undefined): boolean {
  if (select === undefined || select.length === 0) return true;
  return references.some((reference) => select.some((pattern) => selects(pattern, reference)));
}

/** `shop/*:1.4` as in a shell, but `*` also crosses slashes; `shop/web` means every tag of it. */
function selects(pattern: string, reference: string): boolean {
  if (pattern === reference || reference.startsWith(`${pattern}:`)) return true;
  return matchesGlob(reference.replaceAll('/', '\u2044'), pattern.replaceAll('/', '\u2044'));
}

function refuseUnusedPatterns({ images, absent }: ImageIndex, { name, select }: Choice): void {
  const references = [...images, ...absent].flatMap((image) => image.references);
  for (const pattern of select ?? []) {
    if (references.some((reference) => selects(pattern, reference))) continue;
    throw new NotFoundError(`${name}: no image matches ${pattern}`, {
      advice:
        references.length === 0
          ? 'The archive names no image'
          : `There are: ${references.slice(0, 8).join(', ')}`,
      facts: { pattern },
    });
  }
}

/** An OCI layout may hold anything, as a snapshot does; it would count as a release of nothing. */
function refuseWithoutImages({ images, absent }: ImageIndex, { name }: Choice): void {
  if (images.length + absent.length > 0) return;
  throw new UsageError(`${name}: holds no images`, {
    advice:
      'A snapshot that backup export wrote is taken in by dockerctl backup import, or brought back by restore',
  });
}

/** Archives do not always say; variants (arm v7) are the engine's business. */
function fits(platform: Platform | null | undefined, host: Platform): boolean {
  if (platform == null || platform.architecture === '') return true;
  return platform.os === host.os && platform.architecture === host.architecture;
}

function nameOf({ os, architecture, variant }: Platform): string {
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

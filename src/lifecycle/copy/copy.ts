import { lstat, stat } from 'node:fs/promises';
import { basename, dirname, join, posix, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Containers } from '../../engine/engine.ts';
import { NotFoundError, UsageError } from '../../support/errors.ts';
import { extractBytes } from '../../support/tar/extract-bytes.ts';
import { containerOf } from '../container-of.ts';
import type { Host } from '../host.ts';
import { packTree } from './pack-tree.ts';
import { unpackInto } from './unpack-into.ts';

/** One side of a copy: a path on this host, or in a service's container. */
export interface Place {
  service: string | undefined;
  path: string;
}

/** `SERVICE:/path`, or a path on this host; one that has a colon in it begins with `./` or `/`. */
export function parsePlace(written: string): Place {
  const match = /^([A-Za-z0-9][A-Za-z0-9._-]*):(.*)$/s.exec(written);
  return match === null ? { service: undefined, path: written } : { service: match[1], path: match[2] ?? '' };
}

/**
 * Copies a file or a directory between this host and a container, which need not run. Into a directory that exists it
 * goes under its own name, otherwise it gets the name of the destination, as with `cp -r`.
 *
 * @throws UsageError unless exactly one side is a container's
 * @throws NotFoundError when the source, or the destination's directory, is not there
 */
export async function copy(source: Place, destination: Place, host: Host): Promise<void> {
  if ((source.service === undefined) === (destination.service === undefined)) {
    throw new UsageError('cannot copy: exactly one side must be in a container', {
      advice: 'Write that one as SERVICE:/path',
    });
  }
  if (source.service !== undefined) return copyOut(source.service, source.path, destination.path, host);
  if (destination.service !== undefined)
    await copyIn(source.path, destination.service, destination.path, host);
}

async function copyOut(service: string, path: string, destination: string, host: Host): Promise<void> {
  const { id } = await containerOf(host.deployment, host.engine, service);
  const inside = await isDirectory(destination);
  const target = resolve(inside ? join(destination, posix.basename(path)) : destination);
  if (!(await isDirectory(dirname(target)))) throw missingDirectory(dirname(target));
  if (!inside && destination.endsWith('/')) throw missingDirectory(destination);
  const tar = await host.engine.containers.readArchive(id, absolute(path));
  await unpackInto(tar, target, host.context.signal);
}

async function copyIn(path: string, service: string, destination: string, host: Host): Promise<void> {
  const { containers } = host.engine;
  const { id } = await containerOf(host.deployment, host.engine, service);
  const source = resolve(path);
  await lstat(source).catch((cause: unknown) => {
    throw new NotFoundError(`there is no file ${source}`, { facts: { path: source }, cause });
  });
  const target = absolute(destination);
  const inside = await isDirectoryInContainer(containers, id, target);
  if (!inside && destination.endsWith('/')) throw missingDirectory(`${service}:${target}`);
  const [directory, name] = inside
    ? [target, basename(source)]
    : [posix.dirname(target), posix.basename(target)];
  await containers.writeArchive(id, directory, packTree(source, name, host.context.signal));
}

function absolute(path: string): string {
  return posix.resolve('/', path);
}

function missingDirectory(path: string): NotFoundError {
  return new NotFoundError(`there is no directory ${path} to copy into`, { facts: { path } });
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isDirectory(),
    () => false,
  );
}

/** The engine tells the type of a path only as the first entry of its archive. */
async function isDirectoryInContainer(containers: Containers, id: string, path: string): Promise<boolean> {
  if (path === '/') return true;
  let directory = false;
  try {
    const tar = await containers.readArchive(id, path);
    const entries = extractBytes();
    entries.on('entry', ({ type }) => {
      directory = type === 'directory';
      entries.destroy();
    });
    await pipeline(tar, entries).catch(() => {});
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
  }
  return directory;
}

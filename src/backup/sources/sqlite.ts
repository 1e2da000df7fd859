import { randomBytes } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { lstat, readdir, realpath, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { copyDatabase } from '../../databases/sqlite/copy.ts';
import { companionSuffixes, fileNameOf } from '../../databases/sqlite/file-name.ts';
import { copyInContainer } from '../../databases/sqlite/in-container.ts';
import type { SqliteSource } from '../../deployment/backup-settings.ts';
import type { Context } from '../../support/context.ts';
import { withDeadline } from '../../support/deadline.ts';
import { makeDirectoryDurably } from '../../support/durable.ts';
import { codeOf, FailedError, InterruptedError, messageOf } from '../../support/errors.ts';
import { isAtOrIn } from '../../support/path-containment.ts';
import type { Changes } from '../report.ts';
import { runningContainerOf } from '../run-where-said.ts';
import type { SourceJob } from '../store/source-job.ts';
import { StreamFiles } from '../store/stream-files.ts';
import { warnIfMuchSmaller } from './plausible-size.ts';

/**
 * Saves database files while they are written to. Where this host sees a file, through a mount of its container or
 * because no service is named, it is copied here; else its container's `sqlite3` copies it. One that fails makes the
 * source incomplete; the others stay.
 */
export async function storeSqlite(source: SqliteSource, job: SourceJob): Promise<Changes> {
  const files = await StreamFiles.open(job);
  const where = source.service === undefined ? 'this host' : source.service;
  const signal = withDeadline(job.context.signal, `copying the databases of ${where}`, source.timeout);
  const limited = { ...job, context: { ...job.context, signal } };
  let [failed, size] = [false, 0];
  for (const path of source.files) {
    try {
      size += await storeFile(path, source, files, limited);
    } catch (error) {
      if (files.storingFailed || error instanceof InterruptedError) throw error;
      job.context.signal.throwIfAborted();
      const message = messageOf(error);
      job.writer.fail(message.includes(path) ? message : `${path}: ${message}`);
      failed = true;
    }
  }
  if (!failed) warnIfMuchSmaller(`the databases of ${where}`, size, job);
  return files.finish();
}

async function storeFile(
  path: string,
  { service }: SqliteSource,
  files: StreamFiles,
  job: SourceJob,
): Promise<number> {
  const onHost = service === undefined ? await fileOfHost(path) : await seenFromHost(path, service, job);
  if (onHost !== undefined) return storeCopy(path, onHost, files, job);
  const server = { engine: job.engine, container: await runningContainerOf(service!, job) };
  const content = copyInContainer(server, path, job.context, (said) => job.writer.warn(`${path}: ${said}`));
  return files.store(fileNameOf(path), content);
}

async function storeCopy(path: string, onHost: string, files: StreamFiles, job: SourceJob): Promise<number> {
  const found = await lstat(onHost);
  if (!found.isFile()) throw new FailedError(`copying ${path}: it is no file`);
  const copy = await copyName(job.context);
  try {
    await copyDatabase(onHost, copy, job.context.signal);
    const metadata = { mode: found.mode & 0o7777, uid: found.uid, gid: found.gid };
    return await files.store(fileNameOf(path), createReadStream(copy), metadata);
  } finally {
    for (const suffix of ['', ...companionSuffixes]) await rm(copy + suffix, { force: true });
  }
}

/** Where it really is: what is beside a link is not what belongs to the database. */
async function fileOfHost(path: string): Promise<string> {
  return realpath(path).catch((cause: unknown) => {
    throw new FailedError(`copying ${path}: ${whyNot(cause)}`);
  });
}

/**
 * A container's file on this host, by the mount that it is in; `undefined` when it is in none, or on another machine.
 * @throws {FailedError} when there is a link on the way: what is in a container decides where it leads
 */
async function seenFromHost(path: string, service: string, job: SourceJob): Promise<string | undefined> {
  const container = await runningContainerOf(service, job);
  if (!(await job.engine.info()).local) return undefined;
  const mounts = (await job.engine.containers.inspect(container))?.mounts ?? [];
  const holding = mounts
    .filter(({ source, target }) => source.startsWith('/') && isAtOrIn(path, target))
    .sort((a, b) => b.target.length - a.target.length)[0];
  if (holding === undefined) return undefined;
  let at = holding.source;
  for (const name of relative(holding.target, path).split('/')) {
    if (name !== '') at = join(at, name);
    const found = await lstat(at).catch((cause) => {
      throw new FailedError(`copying ${path} of ${service}: ${whyNot(cause)}`);
    });
    if (found.isSymbolicLink())
      throw new FailedError(
        `copying ${path} of ${service}: ${name} is a symbolic link; name what it points at`,
      );
  }
  return at;
}

function whyNot(cause: unknown): string {
  return codeOf(cause) === 'ENOENT' ? 'it does not exist' : messageOf(cause);
}

/** A new name in a directory of our own, from which what killed runs have left is removed. */
async function copyName({ stateDir }: Context): Promise<string> {
  const directory = join(stateDir, 'copies');
  await makeDirectoryDurably(directory);
  for (const name of await readdir(directory)) {
    if (!existsSync(`/proc/${name.split('-', 1)[0]}`)) await rm(join(directory, name), { force: true });
  }
  return join(directory, `${process.pid}-${randomBytes(6).toString('hex')}.db`);
}

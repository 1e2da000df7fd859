import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  asFiles,
  type CarriedFile,
  repositoryNames,
  type SnapshotFiles,
} from '../../repository/carry/as-files.ts';
import type { Outgoing } from '../../repository/carry/outgoing.ts';
import type { SendReport } from '../../repository/carry/send.ts';
import { startChild } from '../../support/child.ts';
import type { Context } from '../../support/context.ts';
import { FailedError, UsageError } from '../../support/errors.ts';
import { type RemoteAddress, renderRemoteAddress } from './address.ts';
import { copyByRsync, listRemote, type RsyncFile, remotePath } from './rsync.ts';
import { sshCommand } from './ssh.ts';

/**
 * Sends a snapshot to a host that has rsync and no dockerctl: blobs that it lacks, checked here first; then the
 * manifest, then `index.json`. Nothing is deleted, and each file appears when it is whole, so that repository is whole
 * at any moment. Nothing over there takes a lock or checks a digest, and nothing keeps this host from overwriting.
 *
 * @throws {UsageError} when something else is in that directory @throws {DamagedError} when a blob here is damaged
 * @throws {FailedError} when rsync is missing or breaks off; what has arrived is not sent again
 */
export async function sendByRsync(
  outgoing: Outgoing,
  address: RemoteAddress,
  context: Context,
): Promise<SendReport> {
  const listed = await listRemote(address, context.signal);
  const there = listed ?? [];
  refuseOtherFiles(there, address);
  const sizes = new Map(there.map(({ path, size }) => [path, size]));
  const files = asFiles(outgoing);
  const staging = await mkdtemp(join(tmpdir(), 'dockerctl-rsync-'));
  try {
    const index = await fetchIndex(address, staging, context);
    const existed = files.isIn(index);
    const lacking = files.blobs.filter(({ path, blob }) => sizes.get(path) !== blob.size);
    await checkBlobs(outgoing, lacking, context);
    // As the staging directory is: empty as yet, and its owner's alone.
    if (listed === undefined) await copy(staging, ['.'], address, context);
    await sendBlobs(outgoing, lacking, address, context);
    const { path, blob } = files.manifest;
    if (sizes.get(path) !== blob.size) await copy(outgoing.directory, [path], address, context);
    if (!existed) await sendIndex(files, index, { staging, address }, context);
    const bytes = lacking.reduce((sum, { blob: { size } }) => sum + size, 0);
    return { snapshot: outgoing.snapshot.id, existed, sent: { blobs: lacking.length, bytes }, by: 'rsync' };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

function refuseOtherFiles(there: readonly RsyncFile[], address: RemoteAddress): void {
  const strange = there.find(({ path }) => !repositoryNames.has(path.split('/')[0]!));
  if (strange === undefined) return;
  throw new UsageError(`sending to ${renderRemoteAddress(address)}: other files are in there`, {
    advice: 'Name an empty directory, or one that does not exist',
    facts: { path: strange.path },
  });
}

async function fetchIndex(
  address: RemoteAddress,
  staging: string,
  { signal }: Context,
): Promise<string | undefined> {
  const to = join(staging, 'there.json');
  const from = `${remotePath(address)}/index.json`;
  return (await copyByRsync({ from, to, address }, { signal })) ? readFile(to, 'utf8') : undefined;
}

async function checkBlobs(
  outgoing: Outgoing,
  lacking: readonly CarriedFile[],
  { signal }: Context,
): Promise<void> {
  for (const { blob } of lacking) {
    for await (const _ of outgoing.read(blob)) signal.throwIfAborted();
  }
}

async function sendBlobs(
  outgoing: Outgoing,
  lacking: readonly CarriedFile[],
  address: RemoteAddress,
  context: Context,
): Promise<void> {
  if (lacking.length === 0) return;
  const total = lacking.reduce((sum, { blob }) => sum + blob.size, 0);
  const task = context.progress.begin('sending', { unit: 'bytes', total });
  try {
    const paths = lacking.map(({ path }) => path);
    await copy(outgoing.directory, paths, address, context, (size) => task.advance(size));
  } finally {
    task.end();
  }
  await sync(address, context);
}

/** What makes the directory a repository, and the snapshot one of its own: last. */
async function sendIndex(
  files: SnapshotFiles,
  there: string | undefined,
  { staging, address }: { staging: string; address: RemoteAddress },
  context: Context,
): Promise<void> {
  await sync(address, context);
  await writeFile(join(staging, 'oci-layout'), files.layout);
  await writeFile(join(staging, 'index.json'), files.index(there));
  await copy(staging, ['oci-layout'], address, context);
  await copy(staging, ['index.json'], address, context);
  await sync(address, context);
}

async function copy(
  from: string,
  files: readonly string[],
  address: RemoteAddress,
  { signal }: Context,
  onFile: (size: number) => void = () => {},
): Promise<void> {
  const way = { from: `${from}/`, to: `${remotePath(address)}/`, address, files };
  if (await copyByRsync(way, { signal, onFile })) return;
  throw new FailedError(`sending to ${renderRemoteAddress(address)}: a file vanished here meanwhile`, {
    advice: 'Send it again',
  });
}

/**
 * A power cut over there must not lose what an index already names. A host that runs nothing but rsync does without.
 */
async function sync(address: RemoteAddress, { signal }: Context): Promise<void> {
  const child = startChild(sshCommand(address, ['sync']), { signal });
  child.stdin.end();
  child.stdout.resume();
  await child.exited.catch(() => {});
}

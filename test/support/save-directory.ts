import { basename, dirname } from 'node:path';
import { ProblemLog } from '../../src/backup/store/problem-log.ts';
import { storeTree } from '../../src/backup/store/tree.ts';
import { trustedBefore } from '../../src/backup/store/unchanged.ts';
import { walk } from '../../src/backup/walk/walk.ts';
import type { Recipient } from '../../src/repository/age/keys.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { trySigningKey } from '../../src/repository/signed/signing-key.ts';
import type { Snapshot, SourceSummary } from '../../src/repository/snapshot/snapshot.ts';
import type { Context } from '../../src/support/context.ts';
import { fromText } from '../../src/support/posix/byte-path.ts';
import { silent } from '../../src/support/progress.ts';

/** A context that shows nothing and is never interrupted. */
export function quietContext(stateDir: string): Context {
  return { progress: silent, signal: new AbortController().signal, now: () => new Date(), stateDir };
}

/** Saves directories as one snapshot, a source each; `.` is the directory itself. */
export async function saveDirectories(
  repository: Repository,
  directories: Record<string, string>,
  context: Context,
  recipients: readonly Recipient[] = [],
  signingKey?: string,
): Promise<Snapshot> {
  const key = signingKey === undefined ? undefined : await trySigningKey(signingKey);
  const options = { host: 'here', deployment: 'test', release: '1.0', recipients, signingKey: key };
  const run = await repository.beginRun(options, context);
  try {
    for (const [name, directory] of Object.entries(directories))
      await saveDirectory(run, name, directory, context);
    return await run.commit();
  } catch (error) {
    await run.abandon();
    throw error;
  }
}

/** Saves a directory as one source of a run. */
export async function saveDirectory(
  run: Awaited<ReturnType<Repository['beginRun']>>,
  name: string,
  directory: string,
  context: Context,
): Promise<SourceSummary> {
  const origin = { paths: [directory] };
  const writer = await run.beginSource({ name, title: `Files of ${name}`, kind: 'paths', origin });
  const problems = new ProblemLog(writer, '');
  const root = { path: '.', parent: fromText(dirname(directory)), name: fromText(basename(directory)) };
  const options = {
    include: [],
    exclude: [],
    oneFileSystem: true,
    excludeCaches: false,
    neverEnter: new Set<string>(),
  };
  const seen = walk(root, { ...options, onProblem: (problem) => problems.inWalk(problem) });
  await storeTree(seen, writer, {
    problems,
    trustedBefore: trustedBefore(run.predecessor?.started),
    task: context.progress.begin(name),
    signal: context.signal,
  });
  problems.finish();
  return writer.end();
}

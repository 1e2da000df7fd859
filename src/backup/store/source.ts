import type { Run } from '../../repository/run/run.ts';
import { EngineUnreachableError } from '../../support/errors.ts';
import type { PlannedSource } from '../plan.ts';
import type { Changes, SourceReport } from '../report.ts';
import type { SourceJob } from './source-job.ts';
import { trustedBefore } from './unchanged.ts';

/** What saving a source needs that is the same for all of a run. */
export interface SourceSurroundings
  extends Pick<SourceJob, 'deployment' | 'engine' | 'repository' | 'neverEnter' | 'context'> {
  /**
   * Why what was on this host between then and now may not belong together, in words. A source that was read meanwhile
   * is incomplete.
   */
  unsettled(since: Date): Promise<string | undefined>;
}

/** Saves one source of a plan into a run, from its beginning to its summary. */
export async function storeSource(
  { settings, ...description }: PlannedSource,
  run: Run,
  { unsettled, ...surroundings }: SourceSurroundings,
): Promise<SourceReport> {
  const began = surroundings.context.now();
  const writer = await run.beginSource(description);
  const before = writer.predecessor;
  const task = surroundings.context.progress.begin(description.title, {
    unit: 'bytes',
    ...(before !== undefined && { total: before.bytes }),
  });
  try {
    const job = { ...surroundings, writer, task, trustedBefore: trustedBefore(before?.started) };
    const changes = await store(settings, job).catch((error) => withoutEngine(error, job));
    const why = await unsettled(began);
    if (why !== undefined) writer.fail(why);
    return { ...(await writer.end()), changes };
  } finally {
    task.end();
  }
}

async function store(settings: PlannedSource['settings'], job: SourceJob): Promise<Changes> {
  switch (settings.kind) {
    case 'deployment':
      return (await import('../sources/deployment.ts')).storeDeployment(job);
    case 'paths':
      return (await import('../sources/paths.ts')).storePaths(settings, job);
    case 'volume':
      return (await import('../sources/volume.ts')).storeVolume(settings, job);
    case 'dump':
      if (settings.engine === 'sqlite')
        return (await import('../sources/sqlite.ts')).storeSqlite(settings, job);
      return (await import('../sources/dump.ts')).storeDump(settings, job);
    case 'run':
      return (await import('../sources/command.ts')).storeCommand(settings, job);
    case 'images':
      return (await import('../sources/images.ts')).storeImages(job);
  }
}

/** An engine that goes away meanwhile spoils what was to come from it; what lies on this host is saved all the same. */
function withoutEngine(error: unknown, { writer, context }: SourceJob): Changes {
  context.signal.throwIfAborted();
  if (!(error instanceof EngineUnreachableError)) throw error;
  writer.fail(error.message);
  return { added: 0, changed: 0, removed: 0 };
}

import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { BackupPlan } from '../../backup/plan.ts';
import { type BackupReport, type Changes, firstProblem, type SourceReport } from '../../backup/report.ts';
import type { Deployment } from '../../deployment/deployment.ts';
import { IncompleteError } from '../../support/errors.ts';
import type { Session } from '../context.ts';
import type { ParsedInput } from '../program.ts';
import { count, formatBytes, formatDuration } from '../render/quantities.ts';
import { renderTable } from '../render/table.ts';
import type { Wrap } from './all.ts';

export function addBackupCreate(backup: Command, wrap: Wrap): void {
  backup
    .command('create [dest]', { isDefault: true })
    .description('save every source as one snapshot, into DEST if it is given')
    .option('--full', 'also the sources that are marked full')
    .option('--tag <tag...>', 'words for this snapshot, which the rules of `keep` may name')
    .action(wrap(create));
}

async function create(session: Session, { args: [dest], options }: ParsedInput): Promise<undefined> {
  const { planBackup } = await import('../../backup/plan.ts');
  const full = options.full === true;
  const deployment = await session.deployment();
  const plan = planBackup(deployment, { full });
  const directory = dest === undefined ? plan.repository : resolve(session.io.workingDirectory, dest);
  if (session.global.dryRun) {
    session.result({ ...plan, repository: directory }, renderPlan);
    return;
  }
  const report = await run(session, deployment, directory, { full, tags: options.tag ?? [] });
  session.result(report, (done) => renderReport(done, session.io.stdout.isTTY === true));
  throwIfIncomplete(report);
}

async function run(
  session: Session,
  deployment: Deployment,
  directory: string,
  { full, tags }: { full: boolean; tags: string[] },
): Promise<BackupReport> {
  const [{ openOrCreateRepository }, engine] = await Promise.all([
    import('../../repository/open.ts'),
    session.engine(),
  ]);
  const repository = await openOrCreateRepository(directory, session.context);
  const options = { engine, repository, full, tags, host: hostname() };
  try {
    if (directory !== deployment.backup?.repository) {
      const { createBackup } = await import('../../backup/create.ts');
      return await createBackup(deployment, options, session.context);
    }
    const { createRecordedBackup } = await import('../../backup/create-recorded.ts');
    return await createRecordedBackup(deployment, options, session.context);
  } finally {
    await repository.close();
  }
}

function throwIfIncomplete(report: BackupReport): void {
  const problem = firstProblem(report);
  if (problem === undefined) return;
  const id = shortId(report.snapshot.id);
  throw new IncompleteError(`snapshot ${id} is incomplete: ${problem}`, {
    advice: `dockerctl backup show ${id} tells everything that is missing.`,
    facts: { snapshot: report.snapshot.id },
  });
}

function renderPlan({ repository, sources, leftOut, checks }: BackupPlan): string {
  return [
    `would back up to ${repository}:`,
    ...sources.map(({ name, title }) => `  ${name}: ${title}`),
    ...leftOut.map(({ name, title }) => `  not ${name}: ${title} (only with --full)`),
    ...checks.map(({ name }) => `  unless ${name}`),
  ].join('\n');
}

/** On a terminal what became of every source; elsewhere one line. */
function renderReport(report: BackupReport, details: boolean): string {
  return details ? `${renderSources(report.sources)}\n${summary(report)}` : summary(report);
}

function renderSources(sources: readonly SourceReport[]): string {
  const header = ['SOURCE', 'FILES', 'SIZE', 'NEW', 'CHANGES', 'TIME', ''];
  return renderTable(header, sources.map(row));
}

function row({ title, files, bytes, newBytes, changes, started, ended, complete }: SourceReport): string[] {
  const seconds = (ended.getTime() - started.getTime()) / 1000;
  return [
    title,
    String(files),
    formatBytes(bytes),
    formatBytes(newBytes),
    renderChanges(changes),
    formatDuration(seconds),
    complete ? '' : 'incomplete',
  ];
}

function renderChanges({ added, changed, removed }: Changes): string {
  const parts = Object.entries({ new: added, changed, removed }).filter(([, number]) => number > 0);
  return parts.length === 0 ? 'none' : parts.map(([word, number]) => `${number} ${word}`).join(', ');
}

function summary({ snapshot, unchanged, leftOut }: BackupReport): string {
  const { id, complete, added, started, ended } = snapshot;
  const time = formatDuration((ended.getTime() - started.getTime()) / 1000);
  const what = unchanged ? 'nothing has changed since the last one' : `${formatBytes(added.bytes)} added`;
  const without = leftOut.length === 0 ? '' : `; without ${count(leftOut.length, 'source')} that --full adds`;
  return `snapshot ${shortId(id)}${complete ? '' : ' (incomplete)'}: ${what}, in ${time}${without}`;
}

function shortId(id: string): string {
  return id.slice('sha256:'.length, 'sha256:'.length + 12);
}

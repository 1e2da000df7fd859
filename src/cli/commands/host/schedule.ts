import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { Schedule, ScheduleFile, ScheduleStep } from '../../../host/schedule/schedule.ts';
import { FailedError, NotFoundError, UsageError } from '../../../support/errors.ts';
import { backupSettings } from '../../arguments/deployment-file.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';

export function addSchedule(program: Command, wrap: Wrap): void {
  const schedule = program
    .command('schedule')
    .description('back up every night: systemd timer or cron table');
  schedule
    .command('install')
    .description('run `dockerctl backup` and then `backup prune` regularly; or change when')
    .option('--at <hh:mm>', 'on the wall clock of this host (default: 03:00)', parseTime)
    .option('--on <days>', 'weekdays such as mon,wed,fri (default: every day)', parseWeekdays)
    .action(wrap(install));
  schedule.command('remove').description('take away what install made').action(wrap(remove));
  schedule.command('show').description('print the files that are in place').action(wrap(show));
}

async function install(session: Session, { options }: ParsedInput): Promise<undefined> {
  const { planInstall } = await import('../../../host/schedule/plan.ts');
  const { cronRuns, installedSchedule, schedulerOf } = await import('../../../host/schedule/apply.ts');
  const { name: deployment, file } = await session.deployment();
  await backupSettings(session);
  await expectUnderstoodAtNight(session, file);
  const command = [programPath(), ...globalArguments(session, file), 'backup'];
  const schedule: Schedule = {
    deployment,
    at: options.at ?? { hour: 3, minute: 0 },
    weekdays: options.on ?? [],
    // Without rules pruning takes incomplete ones alone; rules may come later.
    jobs: [command, [...command, 'prune']],
  };
  const scheduler = await schedulerOf();
  const plan = planInstall(schedule, scheduler, await installedSchedule(deployment));
  await carryOut(session, plan);
  if (session.global.dryRun || scheduler !== 'cron' || (await cronRuns())) return;
  session.context.progress.warn(
    'no cron runs on this host, so nothing starts the backups: install and start it',
  );
}

/** A job has nothing of the shell that installs it: what only that one sets would fail every night. */
async function expectUnderstoodAtNight({ io }: Session, file: string): Promise<void> {
  const { readDeployment } = await import('../../../deployment/read.ts');
  const { HOME } = io.environment;
  await readDeployment(file, { environment: { HOME } }).catch((error: unknown) => {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`scheduling backups, which know nothing of this shell: ${error.message}`, {
      advice: 'Write what it needs into the file .env beside the deployment file, and that into a source',
      cause: error,
    });
  });
}

async function remove(session: Session): Promise<undefined> {
  const { planRemoval } = await import('../../../host/schedule/plan.ts');
  const { installedSchedule, schedulerOf } = await import('../../../host/schedule/apply.ts');
  const { name } = await session.deployment();
  await carryOut(session, planRemoval(name, await schedulerOf(), await installedSchedule(name)));
}

async function show(session: Session): Promise<undefined> {
  const { installedSchedule } = await import('../../../host/schedule/apply.ts');
  const { name } = await session.deployment();
  const files = await installedSchedule(name);
  if (files.length === 0) {
    throw new NotFoundError(`showing the schedule of ${name}: there is none`, {
      advice: 'Make one: dockerctl schedule install --at 03:00',
    });
  }
  session.result(files, (all) => all.map(renderFile).join('\n'));
}

async function carryOut(session: Session, plan: ScheduleStep[]): Promise<void> {
  const { applySchedule } = await import('../../../host/schedule/apply.ts');
  if (!session.global.dryRun) await applySchedule(plan);
  session.report(plan, (steps) => steps.map(renderStep).join('\n'));
}

function renderStep(step: ScheduleStep): string {
  return step.do === 'run' ? `run ${step.command.join(' ')}` : `${step.do} ${step.path}`;
}

function renderFile({ path, content }: ScheduleFile): string {
  return `==> ${path} <==\n${content}`;
}

/** The same options that this command was given, for a job has no working directory and no environment of ours. */
function globalArguments({ global: { host, stateDir }, io }: Session, file: string): string[] {
  const directory = stateDir ?? io.environment.DOCKERCTL_STATE_DIR;
  const engine = host ?? io.environment.DOCKER_HOST;
  return [
    '--file',
    file,
    ...(directory === undefined ? [] : ['--state-dir', resolve(io.workingDirectory, directory)]),
    ...(engine === undefined ? [] : ['--host', engine]),
  ];
}

/** The program that a shell would start, beside whatever of it runs now. */
function programPath(): string {
  for (let at = dirname(process.argv[1] ?? ''); at !== dirname(at); at = dirname(at)) {
    const program = join(at, 'bin', 'dockerctl');
    if (existsSync(program)) return program;
  }
  throw new FailedError('scheduling backups: this dockerctl is not installed with its bin/dockerctl');
}

function parseTime(text: string): Schedule['at'] {
  const match = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('It must be a time such as 03:00.');
  return { hour: Number(match[1]), minute: Number(match[2]) };
}

function parseWeekdays(text: string): number[] {
  const names = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
  const days = text
    .toLowerCase()
    .split(',')
    .map((name) => names.indexOf(name.trim()));
  if (days.includes(-1)) throw new InvalidArgumentError(`They must be among ${names.join(', ')}.`);
  return [...new Set(days)].sort();
}

import { basename } from 'node:path';
import { UsageError } from '../../support/errors.ts';
import { cronFile, cronPath } from './cron.ts';
import { ownMark, type Schedule, type ScheduleFile, type Scheduler, type ScheduleStep } from './schedule.ts';
import { systemdFiles, systemdPaths } from './systemd.ts';

/**
 * What `schedule install` does on a host where `installed` is in place. What an earlier install left for the other
 * scheduler goes last.
 * @throws {UsageError} when a file is somebody else's, or an argument cannot be written down.
 */
export function planInstall(
  schedule: Schedule,
  scheduler: Scheduler,
  installed: readonly ScheduleFile[],
): ScheduleStep[] {
  refuseUnwritable(schedule);
  const wanted = scheduler === 'systemd' ? systemdFiles(schedule) : [cronFile(schedule)];
  refuseForeign(installed);
  const writes = wanted
    .filter(({ path, content }) => !installed.some((file) => file.path === path && file.content === content))
    .map((file): ScheduleStep => ({ do: 'write', ...file }));
  const obsolete = installed.filter(({ path }) => !wanted.some((file) => file.path === path));
  return [
    ...writes,
    ...(scheduler === 'systemd' ? enableTimer(schedule.deployment) : []),
    ...obsolete.map(({ path }): ScheduleStep => ({ do: 'remove', path })),
  ];
}

/** What `schedule remove` does. Throws as `planInstall` does. */
export function planRemoval(
  deployment: string,
  scheduler: Scheduler,
  installed: readonly ScheduleFile[],
): ScheduleStep[] {
  refuseForeign(installed);
  const { timer } = systemdPaths(deployment);
  const steps = installed.map(({ path }): ScheduleStep => ({ do: 'remove', path }));
  if (scheduler !== 'systemd' || !installed.some(({ path }) => path === timer)) return steps;
  return [run('systemctl', 'disable', '--now', basename(timer)), ...steps, run('systemctl', 'daemon-reload')];
}

/** Every place where `planInstall` may put a file. */
export function schedulePaths(deployment: string): string[] {
  const { service, timer } = systemdPaths(deployment);
  return [service, timer, cronPath(deployment)];
}

function enableTimer(deployment: string): ScheduleStep[] {
  const timer = basename(systemdPaths(deployment).timer);
  // A timer that runs already keeps its old hour until it is started again.
  return [
    run('systemctl', 'daemon-reload'),
    run('systemctl', 'enable', timer),
    run('systemctl', 'restart', timer),
  ];
}

function run(...command: string[]): ScheduleStep {
  return { do: 'run', command };
}

function refuseForeign(installed: readonly ScheduleFile[]): void {
  const foreign = installed.find(({ content }) => !content.startsWith(ownMark));
  if (foreign === undefined) return;
  throw new UsageError(`scheduling backups: ${foreign.path} exists and is not of our making`, {
    advice: 'Move it away and try again',
    facts: { path: foreign.path },
  });
}

/** A line break would begin a line of its own, which root runs. */
function refuseUnwritable({ deployment, jobs }: Schedule): void {
  if (!/^[A-Za-z0-9_-]+$/.test(deployment)) {
    throw new UsageError(`scheduling backups of ${JSON.stringify(deployment)}: no file can have that name`);
  }
  const bad = jobs.flat().find((argument) => /[\u0000-\u001f\u007f]/.test(argument));
  if (bad === undefined) return;
  throw new UsageError(`scheduling backups: ${JSON.stringify(bad)} holds a control character`, {
    advice: 'Rename the file or directory',
  });
}

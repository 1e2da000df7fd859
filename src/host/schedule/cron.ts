import { ownMark, type Schedule, type ScheduleFile } from './schedule.ts';

/** A table for cron, which mails whatever it is told: what went wrong, on standard error, and no results. */
export function cronFile({ deployment, at, weekdays, jobs }: Schedule): ScheduleFile {
  const days = weekdays.length === 0 ? '*' : weekdays.join(',');
  const command = jobs.map((job) => `${job.map(quoteArgument).join(' ')} >/dev/null`).join(' && ');
  const content = `${ownMark}
SHELL=/bin/sh
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
${at.minute} ${at.hour} * * ${days} root ${command}
`;
  return { path: cronPath(deployment), content };
}

/** cron passes over files whose name holds anything but letters, digits, `-` and `_`. */
export function cronPath(deployment: string): string {
  return `/etc/cron.d/dockerctl-backup-${deployment}`;
}

/** For the shell; and cron takes a bare `%` for the end of the line. Source: crontab(5). */
function quoteArgument(argument: string): string {
  return `'${argument.replaceAll("'", `'\\''`).replaceAll('%', '\\%')}'`;
}

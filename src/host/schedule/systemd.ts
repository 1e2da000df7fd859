import { ownMark, type Schedule, type ScheduleFile } from './schedule.ts';

const directory = '/etc/systemd/system';
const weekdayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** A service that runs the jobs once and a timer that starts it, also after a night that the host slept through. */
export function systemdFiles(schedule: Schedule): ScheduleFile[] {
  const { service, timer } = systemdPaths(schedule.deployment);
  return [
    { path: service, content: serviceUnit(schedule) },
    { path: timer, content: timerUnit(schedule) },
  ];
}

/** Where the units of a deployment are. */
export function systemdPaths(deployment: string): { service: string; timer: string } {
  const unit = `${directory}/dockerctl-backup-${deployment}`;
  return { service: `${unit}.service`, timer: `${unit}.timer` };
}

/**
 * `idle` since systemd 252; an earlier one complains, and keeps the weight before it. Source:
 * systemd.resource-control(5).
 */
function serviceUnit({ deployment, jobs }: Schedule): string {
  return `${ownMark}
[Unit]
Description=Backup of ${deployment} by dockerctl
After=docker.service

[Service]
Type=oneshot
${jobs.map((job) => `ExecStart=${job.map(quoteArgument).join(' ')}`).join('\n')}
Nice=10
CPUWeight=1
CPUWeight=idle
IOSchedulingClass=best-effort
IOSchedulingPriority=7
`;
}

function timerUnit({ deployment, at, weekdays }: Schedule): string {
  const days = weekdays.map((day) => weekdayNames[day]).join(',');
  const time = `${twoDigits(at.hour)}:${twoDigits(at.minute)}:00`;
  return `${ownMark}
[Unit]
Description=When ${deployment} is backed up

[Timer]
OnCalendar=${days === '' ? '' : `${days} `}*-*-* ${time}
Persistent=true

[Install]
WantedBy=timers.target
`;
}

/** Source: systemd.service(5), "Command lines", and systemd.unit(5), "Specifiers". */
function quoteArgument(argument: string): string {
  const escaped = argument
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$');
  return `"${escaped}"`;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}

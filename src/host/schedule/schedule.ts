/** When the nightly jobs of a deployment run, and what they are. */
export interface Schedule {
  /** Name of the deployment: letters, digits, `-` and `_`. */
  deployment: string;
  /** On the host's wall clock. */
  at: { hour: number; minute: number };
  /** 0 is Sunday; every day when empty. */
  weekdays: readonly number[];
  /** Programs with their arguments, the first one an absolute path; each runs only when the one before succeeded. */
  jobs: readonly (readonly string[])[];
}

/** What starts jobs on this host: systemd where it is running, else cron. */
export type Scheduler = 'systemd' | 'cron';

export interface ScheduleFile {
  path: string;
  content: string;
}

/** Plans are carried out in order; done twice, they change nothing. */
export type ScheduleStep =
  | { do: 'write'; path: string; content: string }
  | { do: 'remove'; path: string }
  | { do: 'run'; command: string[] };

/** Every file that we write begins with it; one that does not is somebody else's. */
export const ownMark = '# Made by `dockerctl schedule install`; `dockerctl schedule remove` takes it away.';

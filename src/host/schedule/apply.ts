import { readdir, readFile, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { replaceDurably, syncDirectory } from '../../support/durable.ts';
import { codeOf, FailedError, messageOf } from '../../support/errors.ts';
import { runCommand } from '../../support/run-command.ts';
import { readSmallFile } from '../../support/small-file.ts';
import { schedulePaths } from './plan.ts';
import type { ScheduleFile, Scheduler, ScheduleStep } from './schedule.ts';

/** Carries out a plan. `root` is where the host's file system begins. */
export async function applySchedule(steps: readonly ScheduleStep[], root = '/'): Promise<void> {
  for (const step of steps) {
    if (step.do === 'write') await writePublic(join(root, step.path), step.content);
    else if (step.do === 'remove') await remove(join(root, step.path));
    else await run(step.command);
  }
}

/** systemd where it runs this host. Source: sd_booted(3). */
export async function schedulerOf(root = '/'): Promise<Scheduler> {
  const booted = await stat(join(root, 'run/systemd/system')).catch(() => undefined);
  return booted?.isDirectory() ? 'systemd' : 'cron';
}

/** Whether anything starts what stands in `/etc/cron.d` here: a table on a host without cron is no backup. */
export async function cronRuns(root = '/'): Promise<boolean> {
  for (const process of await readdir(join(root, 'proc'))) {
    if (!/^\d+$/.test(process)) continue;
    const name = await readFile(join(root, 'proc', process, 'comm'), 'utf8').catch(() => '');
    if (/^crond?$/.test(name.trim())) return true;
  }
  return false;
}

/** The files that are in place for a deployment. */
export async function installedSchedule(deployment: string, root = '/'): Promise<ScheduleFile[]> {
  const files: ScheduleFile[] = [];
  for (const path of schedulePaths(deployment)) {
    const content = readIfThere(join(root, path));
    if (content !== undefined) files.push({ path, content });
  }
  return files;
}

/** Bytes; ours have a few hundred. */
const sizeLimit = 1 << 20;

function readIfThere(path: string): string | undefined {
  try {
    return readSmallFile(path, sizeLimit).toString();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    if (codeOf(error) !== undefined) throw error;
    throw new FailedError(`reading ${path}: ${messageOf(error)}`, {
      advice: 'See who put it there, and remove it',
    });
  }
}

/** Units and tables are read by everybody; cron takes no file that others may write. */
async function writePublic(path: string, content: string): Promise<void> {
  if ((await stat(dirname(path)).catch(() => undefined)) === undefined) {
    throw new FailedError(`writing ${path}: its directory is missing`, {
      advice: 'This host runs neither systemd nor cron; install cron',
    });
  }
  await replaceDurably(path, 0o644, async (file) => {
    await file.chmod(0o644);
    await file.writeFile(content);
  });
}

async function remove(path: string): Promise<void> {
  await unlink(path);
  await syncDirectory(dirname(path));
}

async function run([program = '', ...args]: readonly string[]): Promise<void> {
  const { status, stderr } = await runCommand(program, args, { timeout: 90 });
  if (status === 0) return;
  throw new FailedError(`running ${[program, ...args].join(' ')}: exit ${status}: ${stderr.trim()}`);
}

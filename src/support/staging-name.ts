/**
 * A restore stages new data, and keeps what it replaced, in a directory of this name beside both. Backups pass it by.
 *
 * @param id of the restore
 */
export function stagingName(id: string): string {
  return `${prefix}${id}`;
}

/** Whether a name in a directory is one that a restore made beside what it replaces. */
export function isStagingName(name: string): boolean {
  return name.startsWith(prefix);
}

const prefix = '.dockerctl-restore-';

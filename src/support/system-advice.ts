import { codeOf } from './errors.ts';

/**
 * What to do about a call that the system refused, whatever it was for; nothing where that is another thing for each.
 * It goes into the details of an error as it is.
 */
export function systemAdvice(error: unknown): { advice?: string } {
  const advice = advices[codeOf(error) ?? ''];
  return advice === undefined ? {} : { advice };
}

const spoiltFileSystem = 'Unmount it and check its file system with `fsck`: `dmesg` tells what is wrong';

const advices: Readonly<Record<string, string | undefined>> = {
  EIO: 'Look at `dmesg`: the disk may be failing, or be gone',
  EUCLEAN: spoiltFileSystem,
  EBADMSG: spoiltFileSystem,
  ESTALE: 'See whether the server that it lies on still has it, and mount it again',
  ENOLCK: 'Let the server that it lies on lock files, or name a directory on a disk of this host',
  EMFILE: 'Let its user open more files: see `ulimit -n`, or LimitNOFILE= where systemd starts it',
  ENFILE: 'Let this host open more files: see `sysctl fs.file-max`',
};

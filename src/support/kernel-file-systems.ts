import { readFileSync } from 'node:fs';
import { deviceNumber } from './posix/stat.ts';

/** In which the kernel shows its own state and takes orders, or lists its devices: what is in there are no files. */
const types = new Set(
  (
    'proc sysfs devtmpfs devpts cgroup cgroup2 debugfs tracefs securityfs selinuxfs smackfs bpf configfs pstore efivarfs ' +
    'fusectl mqueue hugetlbfs binfmt_misc rpc_pipefs nfsd nsfs resctrl'
  ).split(' '),
);

/** Devices of those that are mounted, as `Stat.device` tells them; none where that cannot be known. */
export function kernelFileSystems(): ReadonlySet<number> {
  try {
    return parseKernelFileSystems(readFileSync('/proc/self/mountinfo', 'latin1'));
  } catch {
    return new Set();
  }
}

/** Source of the format: proc_pid_mountinfo(5); field 3 is the device, the type follows the field that is a dash. */
export function parseKernelFileSystems(text: string): Set<number> {
  const devices = new Set<number>();
  for (const line of text.split('\n')) {
    const fields = line.split(' ');
    const [major, minor] = (fields[2] ?? '').split(':').map(Number);
    const type = fields[fields.indexOf('-', 6) + 1] ?? '';
    if (types.has(type) && major !== undefined && minor !== undefined)
      devices.add(deviceNumber(major, minor));
  }
  return devices;
}

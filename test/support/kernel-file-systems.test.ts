import { statSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { kernelFileSystems, parseKernelFileSystems } from '../../src/support/kernel-file-systems.ts';
import { deviceNumber } from '../../src/support/posix/stat.ts';

test('they are known by their type, whatever optional fields stand before it', () => {
  const text = `22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
23 22 0:21 / /proc rw,nosuid shared:5 - proc proc rw
24 22 0:300 / /sys rw shared:6 master:1 - sysfs sysfs rw
25 22 0:5 / /dev rw - devtmpfs udev rw
26 22 0:26 / /run rw - tmpfs tmpfs rw
27 22 0:27 / /mnt/proc rw - nfs proc:/proc rw
`;
  assert.equal(
    [...parseKernelFileSystems(text)],
    [deviceNumber(0, 21), deviceNumber(0, 300), deviceNumber(0, 5)],
  );
});

test('the device is as node tells it', () => {
  const devices = kernelFileSystems();
  assert.ok(devices.has(statSync('/proc').dev));
  assert.not.ok(devices.has(statSync('/usr').dev));
});

test.run();

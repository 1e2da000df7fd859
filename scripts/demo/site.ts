import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setXattr } from '../../src/support/posix/xattrs.ts';

/** The host's directories that matter, all below one that the demo may lose. */
export interface Site {
  puppet: string;
  packages: string;
  logs: string;
  config: string;
  database: string;
}

export function siteIn(host: string): Site {
  return {
    puppet: join(host, 'etc/puppet'),
    packages: join(host, 'srv/packages'),
    logs: join(host, 'var/log/shop'),
    config: join(host, 'etc/shop'),
    database: join(host, 'var/lib/shop/postgres'),
  };
}

/** Fills the directories with what such hosts hold, oddities included. */
export function furnish({ puppet, packages, logs, config }: Site): void {
  for (let index = 0; index < 60; index += 1) {
    const manifest = `class shop::part${index} {\n  file { '/etc/part${index}': mode => '0600' }\n}\n`;
    write(join(puppet, `modules/shop/manifests/part${index}.pp`), manifest, { mode: 0o640, owner: 52 });
  }
  write(join(puppet, 'bin/apply'), '#!/bin/sh\nexec puppet apply "$@"\n', { mode: 0o755, owner: 0 });
  symlinkSync('../modules/shop/manifests/part0.pp', join(puppet, 'bin/first'));
  furnishPackages(packages);
  write(join(logs, 'app.log'), 'the shop was opened\n', { mode: 0o640, owner: 33 });
  write(join(config, 'shop.conf'), 'listen = 8080\n', { mode: 0o644, owner: 0 });
  write(join(config, 'secret.key'), 'not for everybody\n', { mode: 0o600, owner: 0 });
  write(join(config, 'helper'), '#!/bin/sh\nid -u\n', { mode: 0o4755, owner: 33 });
  setXattr(join(config, 'shop.conf'), 'user.origin', Buffer.from('written by hand'));
}

/** 2,000 packages of some 50 KB, a hard link, a file with holes, and a name that is no UTF-8. */
function furnishPackages(packages: string): void {
  for (let index = 0; index < 2000; index += 1) {
    const name = `pool/${index % 20}/package-${index}.deb`;
    write(join(packages, name), content(index), { mode: 0o644, owner: 0 });
  }
  linkSync(join(packages, 'pool/0/package-0.deb'), join(packages, 'latest.deb'));
  const image = openSync(join(packages, 'disk.img'), 'w', 0o644);
  ftruncateSync(image, 256 * 1024 * 1024);
  closeSync(image);
  appendFileSync(join(packages, 'disk.img'), 'the end');
  const latin1 = Buffer.concat([
    Buffer.from(`${packages}/gr`),
    Buffer.from([0xfc, 0xdf]),
    Buffer.from('e.txt'),
  ]);
  writeFileSync(latin1, 'a name in ISO 8859-1\n');
}

/** Bytes of which about half can be compressed away; never the same twice. */
function content(seed: number): Buffer {
  const bytes = Buffer.alloc(30_000 + ((seed * 7919) % 40_000));
  let state = seed + 1;
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes.writeUInt32LE(at % 64 < 32 ? state : 0x20202020, at);
  }
  return bytes;
}

function write(path: string, text: string | Buffer, { mode, owner }: { mode: number; owner: number }): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  writeFileSync(path, text);
  chownSync(path, owner, owner);
  chmodSync(path, mode);
  utimesSync(path, 1_600_000_000.123, 1_600_000_000.123);
}

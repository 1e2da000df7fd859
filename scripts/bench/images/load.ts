import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { indexCacheDirectory } from '../../../src/releases/seekable-index.ts';
import type { Bench, Ground } from './measure.ts';

/** Loading with nothing and with everything there, and inspecting. */
export function loadBenches({ docker, address, work, image }: Ground): Bench[] {
  const ours = (command: string, file: string) => [
    'bin/dockerctl',
    ...['--host', address, '--state-dir', join(work, 'state'), '--quiet', 'images', command, file],
  ];
  const theirs = (file: string) => [...docker, 'load', '-q', '-i', file];
  const absent = () => {
    const [program = '', ...options] = docker;
    spawnSync(program, [...options, 'rmi', '-f', image.reference]);
    execFileSync('sync');
  };
  const load = (title: string, file: string, bound: number): Bench => ({
    title,
    ours: ours('load', file),
    theirs: theirs(file),
    bound,
    prepare: absent,
  });
  const again = (title: string, file: string, bound: number, prepare = () => {}): Bench => ({
    title,
    ours: ours('load', file),
    theirs: theirs(file),
    bound,
    prepare,
  });
  const neverSeen = () => rmSync(indexCacheDirectory(join(work, 'state')), { recursive: true, force: true });
  return [
    load('load .tar.xz, nothing there', image.tarXz, 0.75),
    load('load .tar, nothing there', image.tar, 1.1),
    load('load .tar.gz, nothing there', image.tarGz, 1.1),
    again('load .tar, all there', image.tar, 0.25),
    again('load .tar.xz, all there, first look at the file', image.tarXz, 0.05, neverSeen),
    again('load .tar.xz, all there, looked at before', image.tarXz, 0.05),
    {
      title: 'inspect .tar.xz, first look at the file',
      ours: ours('inspect', image.tarXz),
      theirs: ['skopeo', '--override-os', 'linux', 'inspect', `docker-archive:${image.tarXz}`],
      bound: 0.1,
      seconds: 1,
      prepare: neverSeen,
      theirRounds: 1,
    },
  ];
}

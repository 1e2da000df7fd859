import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
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
  const again = (title: string, file: string, bound: number): Bench => ({
    title,
    ours: ours('load', file),
    theirs: theirs(file),
    bound,
  });
  return [
    load('load .tar.xz, nothing there', image.tarXz, 0.75),
    load('load .tar, nothing there', image.tar, 1.1),
    load('load .tar.gz, nothing there', image.tarGz, 1.1),
    again('load .tar, all there', image.tar, 0.25),
    again('load .tar.xz, all there', image.tarXz, 0.05),
    {
      title: 'inspect .tar.xz',
      ours: ours('inspect', image.tarXz),
      theirs: ['skopeo', '--override-os', 'linux', 'inspect', `docker-archive:${image.tarXz}`],
      bound: 0.1,
      theirRounds: 1,
    },
  ];
}

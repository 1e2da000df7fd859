import { execFileSync, spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, type Ground, type Run, timed } from './measure.ts';

/** Saving to .tar.zst and .tar.xz, at the levels that the programs of that name use by themselves. */
export function saveBenches(ground: Ground): Bench[] {
  const { docker, work, image } = ground;
  const save = (format: string, program: string, rounds?: number): Bench => ({
    title: `save .${format}`,
    ours: ours(ground, 'save', image.reference, '-o', join(work, `ours.${format}`)),
    theirs: [
      'sh',
      '-c',
      `${docker.join(' ')} save ${image.reference} | ${program} >'${work}/theirs.${format}'`,
    ],
    bound: 1.1,
    prepare: () => mustBeThere(ground),
    ...(rounds !== undefined && { ourRounds: rounds, theirRounds: rounds }),
  });
  return [save('tar.zst', 'zstd -q -T0 -c'), save('tar.xz', 'xz -q -T0 -c', 1)];
}

/** What the bundle of a change to one file is to the bundle of the whole, in bytes, and our commands on the way. */
export function deltaShare(ground: Ground): { delta: number; full: number; runs: Run[] } {
  const { work, image } = ground;
  mustBeThere(ground);
  const changed = image.reference.replace(/:.*/, ':one-file-changed');
  const [receipt, delta, full] = ['receipt.json', 'delta.tar.zst', 'full.tar.zst'].map((name) =>
    join(work, name),
  );
  const runs = [timed(ours(ground, 'receipt', '-o', receipt!))];
  changeOneFile(ground, changed);
  runs.push(timed(ours(ground, 'save', changed, '-o', full!)));
  runs.push(timed(ours(ground, 'save', changed, '--since', receipt!, '-o', delta!)));
  docker(ground, 'rmi', changed);
  return { delta: statSync(delta!).size, full: statSync(full!).size, runs };
}

function changeOneFile(ground: Ground, reference: string): void {
  const file = join(ground.work, 'changed');
  writeFileSync(file, 'a changed file\n'.repeat(1000));
  const container = docker(ground, 'create', ground.image.reference, 'true').trim();
  docker(ground, 'cp', file, `${container}:/changed`);
  docker(ground, 'commit', container, reference);
  docker(ground, 'rm', container);
}

function mustBeThere(ground: Ground): void {
  const [program = '', ...options] = ground.docker;
  const { status } = spawnSync(program, [...options, 'image', 'inspect', ground.image.reference]);
  if (status !== 0) docker(ground, 'load', '-q', '-i', ground.image.tar);
}

function ours({ address, work }: Ground, ...args: string[]): string[] {
  return [
    'bin/dockerctl',
    '--host',
    address,
    '--state-dir',
    join(work, 'state'),
    '--quiet',
    'images',
    ...args,
  ];
}

function docker({ docker: [program = '', ...options] }: Ground, ...args: string[]): string {
  return execFileSync(program, [...options, ...args], { encoding: 'utf8' });
}

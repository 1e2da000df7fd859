import { spawnSync } from 'node:child_process';
import type { BigImage } from '../../fixtures/big-image.ts';

/** What all benches of images stand on. */
export interface Ground {
  /** The docker command with the engine's address. */
  docker: readonly string[];
  address: string;
  /** A directory of the run's own. */
  work: string;
  image: BigImage;
}

/** One thing that two programs do. */
export interface Bench {
  title: string;
  ours: readonly string[];
  theirs: readonly string[];
  /** The most that ours may take, as a part of theirs. */
  bound: number;
  /** The most that ours may take, in seconds. */
  seconds?: number;
  /** Puts the engine into the state from which both start. */
  prepare?: (who: 'ours' | 'theirs') => void;
  /** When one of them takes minutes. */
  ourRounds?: number;
  theirRounds?: number;
}

/** One whole process. */
export interface Run {
  seconds: number;
  /** Peak, in bytes. */
  memory: number;
}

/** Runs a whole process. GNU time tells its peak memory. */
export function timed(command: readonly string[]): Run {
  const start = performance.now();
  const { status, stderr } = spawnSync('/usr/bin/time', ['-f', 'peak %M', ...command], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const seconds = (performance.now() - start) / 1000;
  const memory = Number(/^peak (\d+)$/m.exec(stderr)?.[1]) * 1024;
  if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
  return { seconds, memory };
}

/** The run in the middle by its time. */
export function median(runs: readonly Run[]): Run {
  return runs.toSorted((a, b) => a.seconds - b.seconds)[Math.floor((runs.length - 1) / 2)]!;
}

/** What every one of our commands may take at most, in bytes. */
const maxMemory = 300e6;

/** The peak of our runs, and whether it is allowed. */
export function peakOf(runs: readonly Run[]): string {
  const peak = Math.max(...runs.map(({ memory }) => memory));
  return `peak ${Math.round(peak / 1e6)} MB (under 300 MB: ${verdict(peak < maxMemory)})`;
}

export function verdict(isMet: boolean): string {
  return isMet ? 'met' : 'MISSED';
}

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

/** The run in the middle by its time. */
export function median(runs: readonly Run[]): Run {
  return runs.toSorted((a, b) => a.seconds - b.seconds)[Math.floor((runs.length - 1) / 2)]!;
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

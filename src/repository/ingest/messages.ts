import type { Recipient } from '../age/keys.ts';
import type { WrittenPack } from '../packs/pack-file.ts';
import type { PackedFiles, PackedResults } from './packed.ts';

/** What a worker needs to know once. */
export interface WorkerSetup {
  seed: Uint8Array;
  /** Path in staging that names of packs are appended to. */
  packPrefix: string;
  /** Bytes at which a pack is full. */
  packGoal: number;
  /** Who can open the packs; nobody: they are not sealed. */
  recipients: readonly Recipient[];
}

export type ToWorker =
  /** Comes first. */
  | { kind: 'begin'; setup: WorkerSetup }
  | { kind: 'files'; job: number; files: PackedFiles }
  | { kind: 'stream'; job: number }
  /** The next bytes of the stream; none are its end. */
  | { kind: 'piece'; bytes: Uint8Array }
  | { kind: 'wanted'; wanted: Uint8Array }
  /** Complete all packs. */
  | { kind: 'finish'; job: number }
  /** End the thread, whatever it is at. */
  | { kind: 'leave' };

export type FromWorker =
  /** Which of these chunks does the repository lack? Answered by `wanted`, one byte each, in the order of asking. */
  | { kind: 'ask'; digests: Uint8Array; sizes: number[] }
  | { kind: 'stored'; job: number; files: PackedResults }
  | { kind: 'streamed'; job: number; chunks: string[]; size: number }
  /** A piece was taken over: the next may come. */
  | { kind: 'taken' }
  | { kind: 'pack'; pack: WrittenPack }
  | { kind: 'finished'; job: number }
  | { kind: 'failed'; message: string; code: string | undefined };

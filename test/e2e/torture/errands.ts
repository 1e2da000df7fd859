import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pick } from './contents.ts';

/** One command of many that run at the same time. */
export interface Errand {
  name:
    | 'backup'
    | 'send'
    | 'prune'
    | 'remove'
    | 'verify'
    | 'read'
    | 'repair'
    | 'list'
    | 'export'
    | 'import'
    | 'restore';
  args: string[];
  /** The id that it is about. */
  about?: string;
  /** May find that what it names has gone meanwhile (10). */
  mayMiss?: boolean;
  /** Once it has ended well. */
  afterwards?(): void;
}

/** What there is to be asked for. */
export interface Surroundings {
  home: string;
  /** Options that name a private key, where one is needed. */
  key: readonly string[];
  /** Ids of snapshots that were there a moment ago. */
  ids: readonly string[];
  /** Throws unless a restored directory is as it should be. */
  compare(id: string, restored: string): void;
}

/** Thinks of what somebody might ask for next, and remembers what was exported. */
export class Errands {
  readonly #random: () => number;
  readonly #exported: string[] = [];
  #number = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  next({ home, key, ids, compare }: Surroundings): Errand {
    const id = ids[pick(this.#random, ids.length)]!;
    const number = this.#number++;
    const file = join(home, `exported-${number}.tar`);
    const to = join(home, `restored-${number}`);
    const archive = this.#exported[pick(this.#random, this.#exported.length)];
    const withKey = this.#random() < 0.5 ? key : [];
    const all: Errand[] = [
      { name: 'backup', args: ['backup'] },
      { name: 'send', args: ['backup', `other@host:${home}/second`] },
      { name: 'prune', args: ['backup', 'prune', ...withKey] },
      { name: 'remove', args: ['backup', 'remove', id, '--yes'], about: id, mayMiss: true },
      { name: 'verify', args: ['backup', 'verify'] },
      { name: 'read', args: ['backup', 'verify', '--read-data', ...key] },
      { name: 'repair', args: ['backup', 'repair', ...withKey] },
      { name: 'list', args: ['backup', 'list'] },
      {
        name: 'export',
        args: ['backup', 'export', id, '-o', file],
        mayMiss: true,
        afterwards: () => this.#exported.push(file),
      },
      {
        name: 'restore',
        args: ['restore', id, '--to', to, '--yes', ...key],
        mayMiss: true,
        afterwards: () => {
          compare(id, to);
          rmSync(to, { recursive: true });
        },
      },
    ];
    if (archive !== undefined) all.push({ name: 'import', args: ['backup', 'import', archive] });
    return all[pick(this.#random, all.length)]!;
  }
}

import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { encodeIdentity, encodeRecipient, type Identity } from '../../../src/repository/age/keys.ts';
import { openRepository } from '../../../src/repository/open.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { quietContext } from '../../support/save-directory.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { runCommand } from './command.ts';
import { type Content, changeFiles, contentOf, pick, readFiles, write } from './contents.ts';
import { type Errand, Errands } from './errands.ts';
import { leftovers } from './leftovers.ts';

export interface CrowdOptions {
  /** Where everything lies; empty. */
  home: string;
  keys: readonly Identity[];
  /** How often a few commands meet. */
  rounds: number;
  seed: number;
}

/** How many commands did their work, and how many had to wait for others or missed what they were to work on. */
export type CrowdCounts = Record<string, { done: number; waits: number; misses: number }>;

const kept = 2;
const atATime = 4;
const deployments = ['alpha', 'beta'] as const;
type Deployment = (typeof deployments)[number];

/**
 * Lets a few commands loose on one repository at the same time, again and again: those of a host's two deployments that
 * share it, and `receive` for another host (`standInForSsh` must be in place). Each does its work, or says that another
 * one is in its way. When all have ended, everything is there and whole, but for what was to go.
 */
export async function crowdRepository(options: CrowdOptions): Promise<CrowdCounts> {
  const random = seededRandom(options.seed);
  const crowd = new Crowd(options, random);
  await crowd.begin();
  for (let round = 0; round < options.rounds; round++)
    await crowd.meet(`seed ${options.seed}, round ${round}`);
  return crowd.counts;
}

class Crowd {
  readonly counts: CrowdCounts = {};
  readonly #options: CrowdOptions;
  readonly #random: () => number;
  readonly #errands: Errands;
  /** Of every snapshot that ever was, by id. */
  readonly #contents = new Map<string, Content>();
  #present: Snapshot[] = [];

  constructor(options: CrowdOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
    this.#errands = new Errands(random);
  }

  async begin(): Promise<void> {
    const { home, keys } = this.#options;
    const recipients = keys.length === 0 ? '' : `recipients: [${keys.map(encodeRecipient).join(', ')}], `;
    write(join(home, 'key'), keys.map(encodeIdentity).join('\n'));
    for (const name of deployments) {
      const data = join(home, name);
      mkdirSync(data);
      const backup = `{repository: ${home}/repository, signing-key: none, ${recipients}keep: {last: ${kept}}, sources: {data: {paths: [${data}]}}}`;
      write(join(home, `${name}.yaml`), `name: ${name}\nx-dockerctl: {backup: ${backup}}\n`);
      this.#change(name);
      await this.#run({ name: 'backup', args: ['backup'] }, name, 'at first');
    }
    await this.#takeStock([], 'at first');
  }

  async meet(when: string): Promise<void> {
    for (const name of deployments) this.#change(name);
    const ids = this.#present.map(({ id }) => id);
    const surroundings = { home: this.#options.home, key: this.#key(), ids, compare: this.#compare };
    const errands = Array.from({ length: atATime }, () => this.#errands.next(surroundings));
    const what = `${when}, ${errands.map(({ name }) => name).join(', ')}`;
    const moments = errands.map(() => ({
      delay: this.#random() * 600,
      by: deployments[pick(this.#random, 2)]!,
    }));
    const done = await Promise.all(
      errands.map(async (errand, i) => {
        const { delay, by } = moments[i]!;
        await setTimeout(delay);
        return this.#run(errand, by, what);
      }),
    );
    await this.#takeStock(
      errands.filter((_, i) => done[i]),
      what,
    );
  }

  /** @returns whether it did its work */
  async #run(errand: Errand, deployment: Deployment, when: string): Promise<boolean> {
    const { home } = this.#options;
    const { name, args, mayMiss = false, afterwards } = errand;
    const state = { DOCKERCTL_STATE_DIR: join(home, 'state') };
    const { status, stderr } = await runCommand(['-f', join(home, `${deployment}.yaml`), ...args], state);
    const said = `${when}: ${name} of ${deployment} ended with ${status}: ${stderr}`;
    assert.ok(status === 0 || status === 11 || (mayMiss && status === 10), said);
    if (status === 0) assert.is(stderr, '', said);
    this.counts[name] ??= { done: 0, waits: 0, misses: 0 };
    this.counts[name][status === 0 ? 'done' : status === 11 ? 'waits' : 'misses']++;
    if (status === 0) afterwards?.();
    return status === 0;
  }

  /** What is there is whole and what it was; what is not there was to go. */
  async #takeStock(done: readonly Errand[], when: string): Promise<void> {
    const { home, keys } = this.#options;
    const context = quietContext(join(home, 'elsewhere'));
    const directory = join(home, 'repository');
    const repository = await openRepository(directory, context, { identities: keys });
    try {
      assert.equal((await repository.verify({ readData: true }, context)).damage, [], when);
      const snapshots = await repository.snapshots();
      for (const snapshot of snapshots) await this.#expectContent(repository, snapshot, when);
      for (const gone of this.#present.filter(({ id }) => snapshots.every((other) => other.id !== id)))
        assert.ok(mayGo(gone, [...this.#present, ...snapshots], done), `${when}: ${gone.id} is gone`);
      assert.equal(leftovers(directory), [], when);
      this.#present = snapshots;
    } finally {
      await repository.close();
    }
  }

  async #expectContent(repository: Repository, snapshot: Snapshot, when: string): Promise<void> {
    const { id, deployment, complete } = snapshot;
    if (!this.#contents.has(id)) this.#contents.set(id, readFiles(join(this.#options.home, deployment)));
    assert.ok(complete, `${when}: ${id}`);
    assert.equal(await contentOf(repository, snapshot), this.#contents.get(id), `${when}: ${id}`);
  }

  readonly #compare = (id: string, restored: string): void => {
    const parent = join(restored, 'data', this.#options.home);
    const [name = ''] = readdirSync(parent);
    assert.equal(readFiles(join(parent, name)), this.#contents.get(id), `restored ${id}`);
  };

  #key(): string[] {
    return this.#options.keys.length === 0 ? [] : ['--identity', join(this.#options.home, 'key')];
  }

  #change(name: Deployment): void {
    changeFiles(join(this.#options.home, name), this.#random);
  }
}

/** It was removed by name, or pruned beside enough newer ones. */
function mayGo(
  { id, deployment, started }: Snapshot,
  all: readonly Snapshot[],
  done: readonly Errand[],
): boolean {
  if (done.some(({ name, about }) => name === 'remove' && about === id)) return true;
  const newer = all.filter((other) => other.deployment === deployment && other.started > started);
  return done.some(({ name }) => name === 'prune') && new Set(newer.map((other) => other.id)).size >= kept;
}

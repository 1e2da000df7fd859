import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { encodeIdentity, encodeRecipient, type Identity } from '../../../src/repository/age/keys.ts';
import { openRepository } from '../../../src/repository/open.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { quietContext } from '../../support/save-directory.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { type EndedCommand, runCommand } from './command.ts';
import { type Content, changeFiles, contentOf, readFiles, write } from './contents.ts';
import { leftovers, unneededBlobs } from './leftovers.ts';

export interface KillOptions {
  /** Where everything lies; empty. */
  home: string;
  keys: readonly Identity[];
  /** How many commands are to be killed. */
  kills: number;
  seed: number;
}

/** How the commands ended. */
export interface KillCounts {
  backup: Endings;
  prune: Endings;
  /** Snapshots that were restored with the command and compared. */
  restored: number;
}

interface Endings {
  done: number;
  killed: number;
  /** Of those, how many had done some of their work for good: a snapshot that is listed, or one that is gone. */
  killedLate: number;
}

const kept = 2;

/**
 * Changes files, backs them up or prunes with the real command, and kills it at a random moment, again and again. After
 * each, what is listed must be exactly what a model says, whole, and with the content that the files had.
 */
export async function killCommands(options: KillOptions): Promise<KillCounts> {
  const world = await World.begin(options);
  const random = seededRandom(options.seed);
  const { counts } = world;
  for (let round = 0; counts.backup.killed + counts.prune.killed < options.kills; round++) {
    assert.ok(round < 6 * options.kills, `only ${JSON.stringify(counts)} were killed in time`);
    const command = world.expected.size > kept && random() < 0.7 ? 'prune' : 'backup';
    await world.disturb(command, random, `seed ${options.seed}, round ${round}, ${command}`);
    if (round % 10 === 0) await world.restoreOne(random);
  }
  await world.finish();
  return counts;
}

class World {
  readonly counts: KillCounts = {
    backup: { done: 0, killed: 0, killedLate: 0 },
    prune: { done: 0, killed: 0, killedLate: 0 },
    restored: 0,
  };
  /** What must be there, by id, the oldest first. */
  readonly expected = new Map<string, Content>();
  readonly #options: KillOptions;
  readonly #data: string;
  readonly #repository: string;
  /** Milliseconds that each command takes, and of these until it begins with its work. */
  readonly #usual = { startUp: 0, backup: 0, prune: 0 };

  private constructor(options: KillOptions) {
    this.#options = options;
    this.#data = join(options.home, 'data');
    this.#repository = join(options.home, 'repository');
  }

  static async begin(options: KillOptions): Promise<World> {
    const world = new World(options);
    const { home, keys } = options;
    mkdirSync(world.#data);
    const recipients = keys.map(encodeRecipient).join(', ');
    const sealing = keys.length === 0 ? '' : `recipients: [${recipients}], `;
    const backup = `{repository: ${world.#repository}, ${sealing}keep: {last: ${kept}}, sources: {data: {paths: [${world.#data}]}}}`;
    write(join(home, 'dockerctl.yaml'), `name: killed\nx-dockerctl: {backup: ${backup}}\n`);
    write(join(home, 'key'), keys.map(encodeIdentity).join('\n'));
    world.#usual.startUp = (await world.#run(['--version'])).took;
    world.#change(seededRandom(options.seed ^ 1));
    for (const command of ['backup', 'prune'] as const) {
      const { status, stderr, took } = await world.#run([...argv[command], ...world.#identity(command)]);
      assert.is(status, 0, stderr);
      world.#usual[command] = took;
    }
    const [first] = await world.#inspect((snapshots) => snapshots.map(({ id }) => id));
    world.expected.set(first!, world.#read());
    return world;
  }

  /** One command, killed or not, and everything checked after it. */
  async disturb(command: 'backup' | 'prune', random: () => number, when: string): Promise<void> {
    if (command === 'backup') this.#change(random);
    const { startUp, [command]: usual } = this.#usual;
    // Some are left alone: whatever was killed before, they need no hand.
    const moment = random() < 0.3 ? undefined : startUp * 0.9 + random() * (usual * 1.1 - startUp * 0.9);
    const withKey = random() < 0.5 ? this.#identity(command) : [];
    const { status, stderr, took } = await this.#run([...argv[command], ...withKey], moment);
    assert.ok(status === 0 || status === null, `${when}: exit ${status}: ${stderr}`);
    if (status === 0) this.#usual[command] = (usual + took) / 2;
    const before = new Set(this.expected.keys());
    const listed = await this.#inspect((snapshots, repository) =>
      this.#checkList(command, status === 0, snapshots, repository, when),
    );
    const late = listed.length !== before.size;
    const { [command]: endings } = this.counts;
    if (status === 0) endings.done++;
    else endings.killed++;
    if (status === null && late) endings.killedLate++;
    if (status === 0) this.#checkSwept(command, when);
  }

  /** What is listed is what was there before and, of this command's work, all or nothing of it. */
  async #checkList(
    command: 'backup' | 'prune',
    succeeded: boolean,
    snapshots: Snapshot[],
    repository: Repository,
    when: string,
  ): Promise<string[]> {
    const ids = snapshots.map(({ id }) => id);
    const before = [...this.expected.keys()];
    if (command === 'backup') {
      const added = ids.filter((id) => !this.expected.has(id));
      assert.ok(added.length === 1 || (added.length === 0 && !succeeded), `${when}: ${added.length} are new`);
      for (const id of added) this.expected.set(id, this.#read());
      assert.equal(ids, [...before, ...added], when);
    } else {
      const stays = before.slice(-kept);
      const rest = ids.filter((id) => !stays.includes(id));
      assert.equal(ids.slice(-kept), stays, `${when}: what the rules keep`);
      assert.ok(succeeded ? rest.length === 0 : rest.every((id) => before.includes(id)), when);
      for (const id of before) if (!ids.includes(id)) this.expected.delete(id);
    }
    for (const snapshot of snapshots) {
      assert.ok(snapshot.complete, when);
      const content = await contentOf(repository, snapshot);
      assert.equal(content, this.expected.get(snapshot.id), `${when}: the content of ${snapshot.id}`);
    }
    return ids;
  }

  /** A command that succeeds sweeps what dead ones left. */
  #checkSwept(command: 'backup' | 'prune', when: string): void {
    assert.equal(leftovers(this.#repository), [], when);
    if (command === 'prune') assert.equal(unneededBlobs(this.#repository), [], when);
  }

  /** With the command, as an operator would. */
  async restoreOne(random: () => number): Promise<void> {
    const ids = [...this.expected.keys()];
    const id = ids[Math.floor(random() * ids.length)]!;
    const to = join(this.#options.home, 'restored');
    const { status, stderr } = await this.#run(['restore', id, '--to', to, '--yes', ...this.#key()]);
    assert.is(status, 0, stderr);
    assert.equal(readFiles(join(to, 'data', this.#data)), this.expected.get(id), `restored ${id}`);
    rmSync(to, { recursive: true });
    this.counts.restored++;
  }

  /** Without a kill everything ends well, and silently. */
  async finish(): Promise<void> {
    for (const command of ['backup', 'prune'] as const) {
      if (command === 'backup') this.#change(seededRandom(this.#options.seed ^ 2));
      const { status, stderr } = await this.#run([...argv[command], ...this.#identity(command)]);
      assert.is(status, 0, stderr);
      assert.is(stderr, '');
      const when = `the last ${command}`;
      await this.#inspect((snapshots, repository) =>
        this.#checkList(command, true, snapshots, repository, when),
      );
      this.#checkSwept(command, when);
    }
  }

  async #inspect<T>(look: (snapshots: Snapshot[], repository: Repository) => T | Promise<T>): Promise<T> {
    const context = quietContext(join(this.#options.home, 'elsewhere'));
    const repository = await openRepository(this.#repository, context, { identities: this.#options.keys });
    try {
      const { damage } = await repository.verify({ readData: true }, context);
      assert.equal(damage, [], `seed ${this.#options.seed}`);
      return await look(await repository.snapshots(), repository);
    } finally {
      await repository.close();
    }
  }

  #run(args: readonly string[], killAfter?: number): Promise<EndedCommand> {
    const { home } = this.#options;
    const all = ['-f', join(home, 'dockerctl.yaml'), ...args];
    return runCommand(all, { DOCKERCTL_STATE_DIR: join(home, 'state') }, killAfter);
  }

  #change(random: () => number): void {
    changeFiles(this.#data, random);
  }

  #read(): Content {
    return readFiles(this.#data);
  }

  /** A backup is made without a key; pruning may have one, to rewrite packs. */
  #identity(command: 'backup' | 'prune'): string[] {
    return command === 'prune' ? this.#key() : [];
  }

  #key(): string[] {
    return this.#options.keys.length === 0 ? [] : ['--identity', join(this.#options.home, 'key')];
  }
}

const argv = { backup: ['backup'], prune: ['backup', 'prune'] };

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as assert from 'uvu/assert';
import { encodeIdentity, encodeRecipient, type Identity } from '../../../src/repository/age/keys.ts';
import { openRepository } from '../../../src/repository/open.ts';
import { readWhatCanBe } from '../../repository/torture/read-what-can-be.ts';
import { makeSmallRepository, type SmallRepository } from '../../repository/torture/small-repository.ts';
import { runCli } from '../../support/cli.ts';
import { flip } from '../../support/flip.ts';
import { quietContext } from '../../support/save-directory.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { pick, write } from './contents.ts';
import type { KillOptions } from './killed-commands.ts';
import { leftovers, unneededBlobs } from './leftovers.ts';

export interface RepairCounts {
  /** Repositories that were damaged, each another way. */
  damaged: number;
  /** Repairs that were killed, and of these at how many nothing that was listed had changed yet. */
  killed: number;
  early: number;
  /** Of the damaged ones, how many could be mended wholly. */
  mended: number;
}

/** What can be read, by id and then by `source:path`. */
type Readable = Map<string, Map<string, string>>;

/** What a repair came to. */
interface Outcome {
  status: number;
  readable: Readable;
  /** Of `backup`, `backup verify --read-data` and `backup prune` after it. */
  afterwards: number[];
}

/**
 * Damages a repository, repairs it with the real command, and kills that at random ones of its calls. Whatever could be
 * read before can be read after each kill, and once a repair ends, everything is as if none had been killed.
 */
export async function killRepairs(options: KillOptions): Promise<RepairCounts> {
  const counts: RepairCounts = { damaged: 0, killed: 0, early: 0, mended: 0 };
  const random = seededRandom(options.seed);
  const world = await DamagedWorld.begin(options);
  while (counts.killed < options.kills) {
    const damage = await world.damage(random);
    const when = `seed ${options.seed}, ${damage}`;
    const giveUp = random() < 0.2;
    const { outcome: expected, calls } = await world.repair(giveUp, when);
    counts.damaged++;
    if (expected.status === 0) counts.mended++;
    for (let i = 0; i < 3 && calls > 0 && counts.killed < options.kills; i++) {
      const moments = Array.from({ length: 1 + pick(random, 2) }, () => 1 + pick(random, calls));
      const { outcome, killed, early } = await world.repairKilled(giveUp, moments, when);
      counts.killed += killed;
      counts.early += early;
      assert.equal(outcome, expected, `${when}, killed at ${moments} of ${calls} calls`);
    }
  }
  return counts;
}

class DamagedWorld {
  readonly #home: string;
  readonly #keys: readonly Identity[];
  readonly #golden: SmallRepository;
  /** The repository at work, and the state directory. */
  readonly #repository: string;
  readonly #state: string;

  private constructor(home: string, keys: readonly Identity[], golden: SmallRepository) {
    this.#home = home;
    this.#keys = keys;
    this.#golden = golden;
    this.#repository = join(home, 'world', 'repository');
    this.#state = join(home, 'world', 'state');
  }

  static async begin({ home, keys }: KillOptions): Promise<DamagedWorld> {
    const world = new DamagedWorld(home, keys, await makeSmallRepository(home, keys));
    const recipients = keys.map(encodeRecipient).join(', ');
    const sealing = keys.length === 0 ? '' : `recipients: [${recipients}], `;
    const sources = `sources: {files: {paths: [${home}/files]}}`;
    const backup = `{repository: ${world.#repository}, ${sealing}keep: {last: 1}, ${sources}}`;
    write(join(home, 'dockerctl.yaml'), `name: test\nx-dockerctl: {backup: ${backup}}\n`);
    write(join(home, 'key'), keys.map(encodeIdentity).join('\n'));
    return world;
  }

  /**
   * A copy of which up to three files are lost or spoilt; sometimes a backup has stored again what it could. What was
   * done.
   */
  async damage(random: () => number): Promise<string> {
    const { directory, files } = this.#golden;
    rmSync(join(this.#home, 'world'), { recursive: true, force: true });
    mkdirSync(this.#state, { recursive: true });
    cpSync(directory, this.#repository, copied);
    const done: string[] = [];
    for (let i = 0; i <= pick(random, 3); i++) {
      const { path, kind } = files[pick(random, files.length)]!;
      const file = join(this.#repository, path);
      const isLost = random() < 0.5 || !existsSync(file);
      if (isLost) rmSync(file, { force: true });
      else flip(file, Math.floor(random() * statSync(file).size));
      done.push(`${kind} ${path.slice(-64, -56)} ${isLost ? 'lost' : 'spoilt'}`);
    }
    if (random() < 0.5) {
      for (const command of ['verify', 'create']) await this.#run('backup', command, ...this.#key());
      done.push('and backed up');
    }
    rmSync(join(this.#home, 'damaged'), { recursive: true, force: true });
    cpSync(join(this.#home, 'world'), join(this.#home, 'damaged'), copied);
    return done.join(', ');
  }

  /** Without a kill; and how many calls there are at which it could be. */
  async repair(giveUp: boolean, when: string): Promise<{ outcome: Outcome; calls: number }> {
    this.#begin();
    const counted = join(this.#home, 'calls');
    const status = await this.#repair(giveUp, { COUNT_CALLS: counted });
    assert.ok(status === 0 || status === 14, `${when}: exit ${status}`);
    return { outcome: await this.#outcomeOf(status, when), calls: Number(readFileSync(counted, 'utf8')) };
  }

  /** Killed at each of these calls in turn, then to its end. */
  async repairKilled(giveUp: boolean, moments: readonly number[], when: string) {
    this.#begin();
    const before = await this.#read();
    let [killed, early] = [0, 0];
    for (const moment of moments) {
      const status = await this.#repair(giveUp, { KILL_AT: String(moment) });
      if (status === null) killed++;
      const now = await this.#read();
      if (isDeepStrictEqual(before, now)) early++;
      expectAll(before, now, `${when}, killed at call ${moment}`);
    }
    const status = await this.#repair(giveUp, {});
    assert.ok(status === 0 || status === 14, `${when}: exit ${status} after kills at ${moments}`);
    return { outcome: await this.#outcomeOf(status, `${when}, killed at ${moments}`), killed, early };
  }

  #begin(): void {
    rmSync(join(this.#home, 'world'), { recursive: true });
    cpSync(join(this.#home, 'damaged'), join(this.#home, 'world'), copied);
  }

  async #outcomeOf(status: number, when: string): Promise<Outcome> {
    const readable = await this.#read();
    assert.equal(leftovers(this.#repository), [], when);
    const afterwards: number[] = [];
    for (const argv of [['create'], ['verify', '--read-data'], ['prune']]) {
      const { status, stderr } = await this.#run('backup', ...argv, ...this.#key());
      afterwards.push(status);
      assert.ok(status === 0 || status === 14, `${when}, then ${argv}: ${status}: ${stderr}`);
    }
    assert.is(afterwards[0], 0, `${when}: the next backup`);
    if (status === 0) assert.equal(afterwards, [0, 0, 0], when);
    if (afterwards[2] === 0) assert.equal(unneededBlobs(this.#repository), [], when);
    const left = await this.#read();
    const kept = [...readable].filter(([id]) => afterwards[2] !== 0 || left.has(id));
    expectAll(new Map(kept), left, `${when}, after the prune`);
    return { status, readable, afterwards };
  }

  async #read(): Promise<Readable> {
    const context = quietContext(join(this.#home, 'elsewhere'));
    const repository = await openRepository(this.#repository, context, { identities: this.#keys });
    try {
      const readable: Readable = new Map();
      for (const snapshot of await repository.snapshots())
        readable.set(snapshot.id, await readWhatCanBe(repository, snapshot));
      return readable;
    } finally {
      await repository.close();
    }
  }

  /** The real command; `null` when it was killed. */
  async #repair(giveUp: boolean, environment: Record<string, string>): Promise<number | null> {
    const [preload, program] = ['test/e2e/torture/kill-at-call.ts', 'src/cli/bin.ts'];
    const argv = this.#argv('backup', 'repair', ...(giveUp ? ['--give-up', '--yes'] : []), ...this.#key());
    const child = spawn(process.execPath, ['--import', `./${preload}`, program, ...argv], {
      env: { ...process.env, ...environment },
      stdio: 'ignore',
    });
    const [status] = (await once(child, 'exit')) as [number | null];
    return status;
  }

  #run(...argv: string[]) {
    return runCli(this.#argv(...argv));
  }

  #argv(...argv: string[]): string[] {
    return ['-f', join(this.#home, 'dockerctl.yaml'), '--state-dir', this.#state, ...argv];
  }

  #key(): string[] {
    return this.#keys.length === 0 ? [] : ['--identity', join(this.#home, 'key')];
  }
}

/** The time of a manifest is when its snapshot began, where nothing else tells. */
const copied = { recursive: true, preserveTimestamps: true } as const;

/** Every file that could be read can be, with the same content. */
function expectAll(before: Readable, now: Readable, when: string): void {
  for (const [id, files] of before) {
    assert.ok(now.has(id), `${when}: ${id} is gone`);
    for (const [file, content] of files)
      assert.is(now.get(id)!.get(file), content, `${when}: ${file} of ${id}`);
  }
}

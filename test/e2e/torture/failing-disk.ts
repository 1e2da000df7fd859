import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { encodeIdentity, encodeRecipient, type Identity } from '../../../src/repository/age/keys.ts';
import { openRepository } from '../../../src/repository/open.ts';
import { FailingCalls, type Failure } from '../../support/failing-calls/failing-calls.ts';
import { quietContext } from '../../support/save-directory.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { type EndedCommand, runCommand } from './command.ts';
import { bytes, type Content, contentOf, pick, readFiles, write } from './contents.ts';
import { leftovers } from './leftovers.ts';

export interface FailOptions {
  /** Where everything lies; empty. */
  home: string;
  keys: readonly Identity[];
  /** How many failures are to be met. */
  failures: number;
  seed: number;
}

/** How often each command ended with each exit status. */
export type FailCounts = Record<Command, Record<string, number>>;

type Command = 'backup' | 'prune' | 'verify' | 'list';

/** What disks do when they fail: one answer is an error, they are gone, they became read-only; and a server is gone. */
const manners: Pick<Failure, 'error' | 'lasting' | 'on'>[] = [
  { error: 'EIO', lasting: false, on: 'everything' },
  { error: 'EIO', lasting: true, on: 'everything' },
  { error: 'EROFS', lasting: true, on: 'changes' },
  { error: 'ESTALE', lasting: true, on: 'everything' },
];

/**
 * Runs commands with a system call failing, one at random in each. Whatever it is, what is there is whole and nothing that ought to stay
 * is gone, a success is one, the message says what was done to what, status and hooks tell the same, and with the disk mended the next
 * run needs no hand.
 */
export async function failCalls(options: FailOptions): Promise<FailCounts> {
  const shop = await FailingShop.open(options);
  const counts: FailCounts = { backup: {}, prune: {}, verify: {}, list: {} };
  const random = seededRandom(options.seed);
  for (let i = 0; i < options.failures; i++) {
    const command = commands[pick(random, commands.length)]!;
    const place = places[pick(random, places.length)]!;
    const status = await shop.fail(command, place, manners[pick(random, manners.length)]!, random);
    counts[command][status] = (counts[command][status] ?? 0) + 1;
  }
  return counts;
}

/** Backups do most. */
const commands: Command[] = ['backup', 'backup', 'backup', 'prune', 'verify', 'list'];
/** The repository is what most is done to. */
const places = ['disk/repository', 'disk/repository', 'disk', 'disk/state', 'files'] as const;

class FailingShop {
  readonly #options: FailOptions;
  readonly #calls: FailingCalls;
  readonly #files: string;
  readonly #disk: string;
  readonly #golden: string;
  #before: Found | undefined;
  /** Calls of each command where none fails. */
  readonly #made = new Map<Command, string[]>();

  private constructor(options: FailOptions) {
    this.#options = options;
    this.#calls = new FailingCalls(options.home);
    this.#files = join(options.home, 'files');
    this.#disk = join(options.home, 'disk');
    this.#golden = join(options.home, 'golden');
  }

  /** With three snapshots, and some files changed since. */
  static async open(options: FailOptions): Promise<FailingShop> {
    const shop = new FailingShop(options);
    const { home, keys } = options;
    for (const directory of [shop.#files, shop.#disk]) mkdirSync(directory);
    const hook = (name: string) => `[[/bin/sh, -c, "cat > ${home}/${name}"]]`;
    const settings = [
      `repository: ${shop.#disk}/repository`,
      ...(keys.length === 0 ? [] : [`recipients: [${keys.map(encodeRecipient).join(', ')}]`]),
      `on-success: ${hook('success')}`,
      `on-failure: ${hook('failure')}`,
      'keep: {last: 2}',
      `sources: {data: {paths: [${shop.#files}]}}`,
    ];
    write(join(home, 'dockerctl.yaml'), `name: failing\nx-dockerctl: {backup: {${settings.join(', ')}}}\n`);
    write(join(home, 'key'), keys.map(encodeIdentity).join('\n'));
    const random = seededRandom(options.seed ^ 1);
    for (let i = 0; i < 4; i++) {
      write(join(shop.#files, 'large'), bytes(random, 1_200_000));
      for (let file = 0; file < 8; file += i + 1)
        write(join(shop.#files, `file-${file}`), bytes(random, 2000));
      if (i < 3) assert.is((await shop.#run('backup')).status, 0);
    }
    cpSync(shop.#disk, shop.#golden, { recursive: true });
    return shop;
  }

  /** @returns the exit status */
  async fail(
    command: Command,
    place: string,
    manner: (typeof manners)[number],
    random: () => number,
  ): Promise<number> {
    this.#begin();
    this.#before ??= await this.#snapshots();
    const before = this.#before;
    const below = join(this.#options.home, place);
    const at = 1 + pick(random, await this.#count(command, { ...manner, below }));
    this.#begin();
    const { status, stderr } = await this.#run(command, { ...manner, below, at });
    const [call = 'none in the end'] = this.#calls.failed();
    const { seed } = this.#options;
    const when = `seed ${seed}: ${command}, ${JSON.stringify(manner)} from call ${at} below ${place} on, ${call}: ${status}: ${stderr}`;
    assert.ok([0, 1, 3, 12, 14].includes(status ?? -1), when);
    assert.not.match(stderr, /unexpected|\n\s+at |^dockerctl: E[A-Z]+:/, when);
    const after = await this.#snapshots(when);
    this.#checkContent(command, status, before, after, when);
    if (command === 'backup') this.#checkWord(status, stderr, when);
    await this.#checkNext(command, when);
    return status!;
  }

  #checkContent(command: Command, status: number | null, before: Found, after: Found, when: string): void {
    const kept = command === 'prune' ? [...before.keys()].slice(-2) : [...before.keys()];
    for (const id of kept) assert.equal(after.get(id)?.content, before.get(id)!.content, when);
    const added = [...after].filter(([id]) => !before.has(id)).map(([, snapshot]) => snapshot);
    const files = readFiles(this.#files);
    for (const { complete, content } of added) {
      for (const [name, digest] of content) assert.is(digest, files.get(name), `${when}: ${name}`);
      assert.is(content.size === files.size, complete, when);
    }
    if (command === 'backup' && status === 0) assert.ok(added.length === 1 && added[0]!.complete, when);
    if (status === 3) assert.ok(added.length === 1 && !added[0]!.complete, when);
    if (command === 'prune' && status === 0) assert.is(after.size, 2, when);
  }

  /** What monitoring sees, and whoever is to be paged. */
  #checkWord(status: number | null, stderr: string, when: string): void {
    const outcome = status === 0 ? 'complete' : status === 3 ? 'incomplete' : 'failed';
    assert.ok(
      existsSync(join(this.#options.home, status === 0 ? 'success' : 'failure')),
      `${when}: the hook`,
    );
    if (stderr.includes('writing status.json')) return;
    const told = JSON.parse(readFileSync(join(this.#disk, 'state/backup/failing/status.json'), 'utf8'));
    assert.is(told.lastRun.outcome, outcome, when);
  }

  /** With the disk mended. */
  async #checkNext(command: Command, when: string): Promise<void> {
    const { status, stderr } = await this.#run(command);
    assert.is(status, 0, `${when}\nthe next one: ${stderr}`);
    const after = await this.#snapshots(`${when}\nthe next one`);
    if (command === 'verify' || command === 'list') return;
    assert.equal(leftovers(join(this.#disk, 'repository')), [], when);
    assert.ok(existsSync(join(this.#disk, 'repository', 'reserve')), `${when}: the reserve`);
    if (command === 'backup') assert.equal([...after.values()].at(-1)!.content, readFiles(this.#files), when);
  }

  #begin(): void {
    rmSync(this.#disk, { recursive: true });
    cpSync(this.#golden, this.#disk, { recursive: true });
    for (const name of ['success', 'failure']) rmSync(join(this.#options.home, name), { force: true });
  }

  /** How many calls of a kind a command makes in a place. */
  async #count(command: Command, { below, on }: Pick<Failure, 'below' | 'on'>): Promise<number> {
    const calls = this.#made.get(command) ?? (await this.#list(command));
    this.#made.set(command, calls);
    return calls.filter((call) => call.includes(` ${below}`) && (on === 'everything' || call.startsWith('w')))
      .length;
  }

  async #list(command: Command): Promise<string[]> {
    const none = {
      below: this.#options.home,
      at: 0,
      error: 'EIO',
      lasting: false,
      on: 'everything',
    } as const;
    assert.is((await this.#run(command, none)).status, 0);
    return this.#calls.failed();
  }

  /** What is there, the oldest first, all of it read. */
  async #snapshots(when = ''): Promise<Found> {
    const context = quietContext(join(this.#options.home, 'elsewhere'));
    const directory = join(this.#disk, 'repository');
    const repository = await openRepository(directory, context, { identities: this.#options.keys });
    try {
      const { damage } = await repository.verify({ readData: true, remember: false }, context);
      assert.equal(damage, [], when);
      const found: Found = new Map();
      for (const snapshot of await repository.snapshots())
        found.set(snapshot.id, {
          complete: snapshot.complete,
          content: await contentOf(repository, snapshot),
        });
      return found;
    } finally {
      await repository.close();
    }
  }

  #run(command: Command, failure?: Failure): Promise<EndedCommand> {
    const { home, keys } = this.#options;
    const identity =
      command === 'backup' || command === 'list' || keys.length === 0
        ? []
        : ['--identity', join(home, 'key')];
    const state = { DOCKERCTL_STATE_DIR: join(this.#disk, 'state') };
    const environment = failure === undefined ? state : { ...state, ...this.#calls.environment(failure) };
    return runCommand(['-f', join(home, 'dockerctl.yaml'), ...argv[command], ...identity], environment);
  }
}

type Found = Map<string, { complete: boolean; content: Content }>;

const argv = {
  backup: ['backup'],
  prune: ['backup', 'prune'],
  verify: ['backup', 'verify', '--read-data'],
  list: ['backup', 'list'],
};

import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { encodeIdentity, encodeRecipient, type Identity } from '../../../src/repository/age/keys.ts';
import { openRepository } from '../../../src/repository/open.ts';
import { type CliResult, runCli } from '../../support/cli.ts';
import { quietContext } from '../../support/save-directory.ts';
import type { SmallDisk } from '../../support/small-disk.ts';

export interface FillOptions {
  /** Where everything lies that is not on the disk; empty. */
  home: string;
  disk: SmallDisk;
  keys: readonly Identity[];
  /** How many amounts of free space are tried. */
  fills: number;
}

/** Exit statuses and how often each came. */
export type FillCounts = Record<'backup' | 'prune' | 'elsewhere' | 'inodes', Record<string, number>>;

/**
 * Backs up to a disk that fills up at one moment or another, the state directory on it too, and prunes there. A backup
 * ends with 13 or, where there was just room enough, with 0; pruning always works. After each the older snapshots are
 * whole, and with room made the next backup succeeds.
 */
export async function fillDisk(options: FillOptions): Promise<FillCounts> {
  const counts: FillCounts = { backup: {}, prune: {}, elsewhere: {}, inodes: {} };
  const count = (kind: keyof FillCounts, { status }: CliResult) => {
    counts[kind][status] = (counts[kind][status] ?? 0) + 1;
  };
  const shop = await FullShop.open(options);
  const need = await shop.measure();
  for (let i = 0; i < options.fills; i++) {
    const free = chooseFree(i, options.fills, need);
    count(
      'backup',
      await shop.backupWith(() => options.disk.leaveFree(free), `${free} of ${need} bytes free`),
    );
    count(
      'prune',
      await shop.pruneWith(() => options.disk.leaveFree(free), `pruning with ${free} bytes free`),
    );
  }
  count('inodes', await shop.backupWith(options.disk.useUpInodes, 'no inode free'));
  count('inodes', await shop.pruneWith(options.disk.useUpInodes, 'pruning with no inode free'));
  count('elsewhere', await shop.backupElsewhere());
  return counts;
}

/** Half of them evenly spread from nothing at all, half just short of what is needed, where the commit is. */
function chooseFree(i: number, fills: number, need: number): number {
  const even = Math.ceil(fills / 2);
  if (i < even) return Math.floor((need * i) / even / 4096) * 4096;
  return Math.max(0, need - (i - even + 1) * 4096);
}

class FullShop {
  readonly #options: FillOptions;
  readonly #files: string;
  readonly #golden: string;
  readonly #onDisk: string;

  private constructor(options: FillOptions) {
    this.#options = options;
    this.#files = join(options.home, 'files');
    this.#golden = join(options.home, 'golden');
    this.#onDisk = join(options.disk.directory, 'backups');
  }

  /** With three snapshots, and much to be saved next. */
  static async open(options: FillOptions): Promise<FullShop> {
    const shop = new FullShop(options);
    const { home, keys } = options;
    const recipients = keys.map(encodeRecipient).join(', ');
    const sealing = keys.length === 0 ? '' : `recipients: [${recipients}], `;
    for (const [name, directory] of [
      ['small', shop.#onDisk],
      ['elsewhere', join(home, 'elsewhere')],
    ]) {
      const sources = `sources: {files: {paths: [${shop.#files}]}}`;
      const backup = `{repository: ${directory}/repository, ${sealing}keep: {last: 1}, ${sources}}`;
      writeFileSync(join(home, `${name}.yaml`), `name: full\nx-dockerctl: {backup: ${backup}}\n`, {
        mode: 0o600,
      });
    }
    writeFileSync(join(home, 'key'), keys.map(encodeIdentity).join('\n'), { mode: 0o600 });
    mkdirSync(shop.#files);
    for (let i = 0; i < 30; i++) writeFileSync(join(shop.#files, `file-${i}`), randomBytes(10_000));
    for (const change of ['one', 'two', 'three']) {
      writeFileSync(join(shop.#files, 'changing'), change);
      assert.is((await shop.#run('backup')).status, 0);
    }
    cpSync(shop.#onDisk, shop.#golden, { recursive: true });
    writeFileSync(join(shop.#files, 'large'), randomBytes(3_000_000));
    return shop;
  }

  /** Bytes that the next backup takes. */
  async measure(): Promise<number> {
    this.#begin();
    const before = this.#free();
    assert.is((await this.#run('backup')).status, 0);
    return before - this.#free();
  }

  async backupWith(fill: () => void, when: string): Promise<CliResult> {
    this.#begin();
    const before = await this.#list();
    fill();
    const result = await this.#run('backup');
    this.#options.disk.clear();
    assert.ok(result.status === 13 || result.status === 0, `${when}: ${result.status}: ${result.stderr}`);
    if (result.status === 13) {
      assert.ok(result.stderr.trimEnd().split('\n').length <= 3, `${when}: ${result.stderr}`);
      assert.equal(await this.#list(), before, when);
    }
    assert.equal(readdirSync(join(this.#onDisk, 'repository', 'tmp')), [], when);
    const next = await this.#run('backup');
    assert.is(next.status, 0, `${when}, the next backup: ${next.stderr}`);
    assert.equal((await this.#list()).slice(0, before.length), before, when);
    return result;
  }

  async pruneWith(fill: () => void, when: string): Promise<CliResult> {
    this.#begin();
    const before = await this.#list();
    fill();
    const key = this.#options.keys.length === 0 ? [] : ['--identity', join(this.#options.home, 'key')];
    const result = await this.#run('backup', 'prune', ...key);
    assert.is(result.status, 0, `${when}: ${result.stderr}`);
    assert.equal(await this.#list(), before.slice(-1), when);
    this.#options.disk.clear();
    assert.is((await this.#run('backup')).status, 0, `${when}, the next backup`);
    await this.#list();
    return result;
  }

  /** Only the state directory is on the full disk: that costs no backup. */
  async backupElsewhere(): Promise<CliResult> {
    this.#begin();
    this.#options.disk.leaveFree(0);
    const result = await this.#runWith('elsewhere', 'backup');
    assert.is(result.status, 0, result.stderr);
    this.#options.disk.clear();
    const next = await this.#runWith('elsewhere', 'backup');
    assert.is(next.status, 0, next.stderr);
    return result;
  }

  #begin(): void {
    rmSync(this.#onDisk, { recursive: true, force: true });
    cpSync(this.#golden, this.#onDisk, { recursive: true });
  }

  #free(): number {
    const { bavail, bsize } = statfsSync(this.#options.disk.directory);
    return bavail * bsize;
  }

  /** Ids of what is there, all of it read. */
  async #list(): Promise<string[]> {
    const context = quietContext(join(this.#options.home, 'checks'));
    const directory = join(this.#onDisk, 'repository');
    const repository = await openRepository(directory, context, { identities: this.#options.keys });
    try {
      assert.equal((await repository.verify({ readData: true }, context)).damage, []);
      const snapshots = await repository.snapshots();
      assert.ok(snapshots.every(({ complete }) => complete));
      return snapshots.map(({ id }) => id);
    } finally {
      await repository.close();
    }
  }

  #run(...args: string[]): Promise<CliResult> {
    return this.#runWith('small', ...args);
  }

  /** The state directory is on the small disk in any case. */
  #runWith(name: string, ...args: string[]): Promise<CliResult> {
    const file = join(this.#options.home, `${name}.yaml`);
    return runCli(['-f', file, '--state-dir', join(this.#onDisk, 'state'), ...args]);
  }
}

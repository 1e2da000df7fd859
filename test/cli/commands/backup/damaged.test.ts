/** What is known to be lost of a snapshot is told wherever it is told of, and nobody counts on it. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../../support/cli.ts';
import { deploymentFile } from '../../../support/deployment.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const root = temporaryDirectory();

/** A deployment whose one source is new with every backup. */
class Shop {
  readonly home = mkdtempSync(join(root, 'shop-'));
  readonly repository = join(this.home, 'repository');
  readonly data = join(this.home, 'data');
  readonly file: string;

  constructor() {
    mkdirSync(this.data);
    const backup = `{repository: ${this.repository}, keep: {last: 1}, signing-key: none, sources: {data: {paths: [${this.data}]}}}`;
    this.file = deploymentFile(`name: shop\nx-dockerctl: {backup: ${backup}}\n`);
  }

  async save(): Promise<string> {
    writeFileSync(join(this.data, 'file'), randomBytes(300_000));
    return (await this.json()).snapshot.id;
  }

  run(...args: string[]) {
    return runCli(['-f', this.file, '--state-dir', join(this.home, 'state'), 'backup', ...args]);
  }

  async json(...args: string[]) {
    return JSON.parse((await this.run(...args, '--json')).stdout);
  }

  packs(): string[] {
    const blobs = join(this.repository, 'blobs', 'sha256');
    return readdirSync(blobs)
      .map((name) => join(blobs, name))
      .filter((path) => statSync(path).size > 200_000);
  }
}

test('a snapshot of an archive that was cut is listed as damaged, until a whole copy is imported', async () => {
  const shop = new Shop();
  await shop.save();
  const archive = join(shop.home, 'shop.tar');
  assert.is((await shop.run('export', 'latest', '-o', archive)).status, 0);
  const cut = join(shop.home, 'cut.tar');
  writeFileSync(cut, readFileSync(archive).subarray(0, 150_000));
  const into = join(shop.home, 'other');
  assert.is((await shop.run('import', '--skip-damaged', cut, '-r', into)).status, 14);
  assert.match((await shop.run('list', '-r', into)).stdout, / damaged /);
  assert.match((await shop.run('show', '-r', into)).stdout, /\(damaged\)\n/);
  assert.is((await shop.json('list', '-r', into))[0].damaged, true);
  assert.is((await shop.run('import', archive, '-r', into)).status, 0);
  assert.match((await shop.run('list', '-r', into)).stdout, / complete /);
  assert.not.ok('damaged' in (await shop.json('show', '-r', into)));
});

test('what a check found damaged is no good backup for status, monitoring and prune', async () => {
  const shop = new Shop();
  const good = await shop.save();
  const older = shop.packs();
  const spoilt = await shop.save();
  const [pack = ''] = shop.packs().filter((path) => !older.includes(path));
  const bytes = readFileSync(pack);
  writeFileSync(pack, randomBytes(bytes.length));
  assert.is((await shop.json('status')).lastComplete.id, spoilt, 'nobody has looked yet');
  assert.is((await shop.run('verify')).status, 14);
  const { lastComplete, snapshots } = await shop.json('status');
  assert.is(lastComplete.id, good);
  assert.equal(snapshots, { complete: 1, incomplete: 1 });
  const { decisions } = await shop.json('prune', '--dry-run');
  assert.equal(
    decisions.map(({ keep, reasons }: { keep: boolean; reasons: string[] }) => [keep, ...reasons]),
    [
      [true, 'damaged, but none newer is whole'],
      [true, 'last', 'newest'],
    ],
  );
  writeFileSync(pack, bytes);
  assert.is((await shop.run('verify')).status, 0);
  assert.is((await shop.json('status')).lastComplete.id, spoilt);
});

test('a repair that could not bring everything back leaves a snapshot that is told as damaged', async () => {
  const shop = new Shop();
  await shop.save();
  for (const pack of shop.packs()) rmSync(pack);
  assert.is((await shop.run('repair')).status, 14);
  assert.match((await shop.run('list')).stdout, / damaged /);
  assert.is((await shop.run('status', '--max-age', '1h')).status, 1);
});

test.run();

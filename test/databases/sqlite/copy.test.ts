import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { copyDatabase } from '../../../src/databases/sqlite/copy.ts';
import { fileNameOf } from '../../../src/databases/sqlite/file-name.ts';
import { DamagedError, FailedError } from '../../../src/support/errors.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const home = temporaryDirectory();
const signal = new AbortController().signal;
let count = 0;

function database(mode: 'wal' | 'delete'): string {
  const path = join(home, `${count++}.db`);
  const made = new DatabaseSync(path);
  made.exec(`PRAGMA journal_mode = ${mode};
    CREATE TABLE debit (id INTEGER PRIMARY KEY, amount INT);
    WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 50000) INSERT INTO debit SELECT id, 1000 FROM n;
    CREATE TABLE credit AS SELECT * FROM debit;`);
  made.close();
  return path;
}

/** A process that moves amounts from one table to the other until it is ended. */
function startWriter(path: string) {
  const script = `
    const db = new (require('node:sqlite').DatabaseSync)(${JSON.stringify(path)}, { timeout: 20000 });
    for (let i = 1; ; i++) {
      const id = i * 7919 % 50000 + 1;
      db.exec(\`BEGIN IMMEDIATE; UPDATE debit SET amount = amount - 1 WHERE id = \${id}; UPDATE credit SET amount = amount + 1 WHERE rowid = \${id}; COMMIT\`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      if (i === 1) process.stdout.write('.');
    }`;
  return spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
}

function sums(path: string): { debit: number; credit: number } {
  const opened = new DatabaseSync(path, { readOnly: true });
  const row = opened
    .prepare('SELECT (SELECT SUM(amount) FROM debit) debit, (SELECT SUM(amount) FROM credit) credit')
    .get();
  opened.close();
  return { ...row } as { debit: number; credit: number };
}

for (const mode of ['wal', 'delete'] as const) {
  test(`journal mode ${mode}: every copy is of one moment while another process writes`, async () => {
    const path = database(mode);
    const writer = startWriter(path);
    try {
      await new Promise((resolve) => writer.stdout.once('data', resolve));
      const credits: number[] = [];
      // On a busy machine the writer may not have had a turn for as long.
      for (let round = 0; round < 5 || credits.at(-1) === credits[0]; round++) {
        const copy = join(home, `copy-${count++}.db`);
        await copyDatabase(path, copy, signal);
        const { debit, credit } = sums(copy);
        assert.is(debit + credit, 100_000_000);
        credits.push(credit);
      }
      assert.ok(credits[0]! > 50_000_000 && credits.at(-1)! > credits[0]!, credits.join());
    } finally {
      writer.kill('SIGKILL');
    }
  });

  test(`journal mode ${mode}: unchanged, it gives the same bytes, and nothing is left beside the copy`, async () => {
    const path = database(mode);
    const [first, second] = [join(home, `first-${mode}`), join(home, `second-${mode}`)];
    await copyDatabase(path, first, signal);
    await copyDatabase(path, second, signal);
    assert.equal(readFileSync(first), readFileSync(second));
    assert.equal(
      readdirSync(home).filter((name) => name.startsWith(`first-${mode}`)),
      [`first-${mode}`],
    );
  });
}

test('what a killed writer left in its log is in the copy', async () => {
  const path = database('wal');
  const writer = startWriter(path);
  await new Promise((resolve) => writer.stdout.once('data', resolve));
  const ended = new Promise((resolve) => writer.once('close', resolve));
  writer.kill('SIGKILL');
  await ended;
  const copy = join(home, 'of-killed.db');
  await copyDatabase(path, copy, signal);
  assert.ok(sums(copy).credit > 50_000_000);
});

test('no database, a damaged one, one that is locked for good, and an interruption are failures', async () => {
  const failing = async (path: string, given = signal) => {
    const copy = join(home, `failed-${count++}.db`);
    const error = await copyDatabase(path, copy, given).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    rmSync(copy, { force: true });
    return error as Error;
  };
  assert.instance(await failing(join(home, 'nowhere.db')), FailedError);
  writeFileSync(join(home, 'text.db'), 'no database '.repeat(100));
  assert.match(
    (await failing(join(home, 'text.db'))).message,
    /^copying .*text\.db: file is not a database$/,
  );
  for (const text of ['', 'x']) {
    writeFileSync(join(home, 'short.db'), text);
    assert.match((await failing(join(home, 'short.db'))).message, /short\.db: it is empty$/);
  }
  const path = database('delete');
  const bytes = readFileSync(path);
  bytes.fill(0xa5, 4096 * 20, 4096 * 24);
  writeFileSync(path, bytes);
  assert.instance(await failing(path), DamagedError);
  const held = database('delete');
  const holder = new DatabaseSync(held);
  holder.exec('BEGIN EXCLUSIVE');
  const interrupted = new AbortController();
  setTimeout(() => interrupted.abort(new FailedError('it took too long')), 500);
  assert.is((await failing(held, interrupted.signal)).message, 'it took too long');
  holder.close();
});

test('a path becomes a name that leads back to it alone', () => {
  assert.is(fileNameOf('/data/app.db'), 'data%2Fapp.db');
  assert.is(fileNameOf('/d%2Fé/a b'), 'd%252F%C3%A9%2Fa%20b');
});

test.run();

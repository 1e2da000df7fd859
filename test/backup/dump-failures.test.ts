import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type FixtureName, loadFixture } from '../../scripts/fixtures/image.ts';
import { createBackup } from '../../src/backup/create.ts';
import { mysql } from '../../src/databases/mysql/mysql.ts';
import { postgres } from '../../src/databases/postgres/postgres.ts';
import { redis } from '../../src/databases/redis/redis.ts';
import { labelNames } from '../../src/deployment/names.ts';
import { readDeployment } from '../../src/deployment/read.ts';
import { runInContainer } from '../../src/engine/containers/run-in-container.ts';
import { openOrCreateRepository } from '../../src/repository/open.ts';
import { archive } from '../databases/mongodb/archive.ts';
import { testEngine } from '../support/engine.ts';
import { uniqueName } from '../support/images.ts';
import { quietContext } from '../support/save-directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const { engine } = await testEngine();

interface Case {
  fixture: FixtureName;
  /** Of the source. */
  kind: string;
  /** What dumps, inside the container. */
  program: string;
  /** Arguments of a call that dumps, in a shell's pattern; other calls are let through. */
  dumping: string;
  ready(container: string): Promise<void>;
}

const cases: Case[] = [
  {
    fixture: 'mariadb',
    kind: 'mariadb',
    program: '/usr/bin/mariadb-dump',
    dumping: '*',
    ready: async (container) => {
      await mysql.ready({ engine, container }, context);
      const sql =
        'CREATE DATABASE d; USE d; CREATE TABLE t AS SELECT REPEAT(seq, 500) AS a FROM seq_1_to_999';
      await run(container, `mariadb -uroot -e "${sql}"`);
    },
  },
  {
    fixture: 'redis',
    kind: 'redis',
    program: '/usr/bin/redis-cli',
    dumping: '*--rdb*',
    ready: async (container) => {
      await redis.ready({ engine, container }, context);
      await run(container, 'redis-cli CONFIG SET repl-diskless-sync-delay 0');
      const set = 'redis.call("SET", "key:" .. i, redis.sha1hex(i) .. redis.sha1hex(-i))';
      await run(container, `redis-cli EVAL 'for i = 1, 300 do ${set} end' 0`);
    },
  },
  {
    fixture: 'postgres',
    kind: 'postgres',
    // pg_dump cannot be moved: pg_dumpall looks for it, and asks it for its version.
    program: '/usr/lib/postgresql/15/bin/pg_dumpall',
    dumping: '*',
    ready: async (container) => {
      await postgres.ready({ engine, container }, context);
      const roles = "DO 'BEGIN FOR i IN 1..99 LOOP EXECUTE ''CREATE ROLE r'' || i; END LOOP; END'";
      await run(container, `echo "${roles}" | su postgres -c 'psql -q'`);
    },
  },
  {
    // No MongoDB server can be had offline: a stand-in prints an archive as mongodump writes it.
    fixture: 'sqlite',
    kind: 'mongodb',
    program: '/usr/bin/mongodump',
    dumping: '*',
    ready: async (container) => {
      const programs = {
        mongod: 'echo "db version v7.0.5"',
        mongodump: `echo ${archive(2000).toString('base64')} | base64 -d`,
      };
      for (const [name, script] of Object.entries(programs))
        await run(
          container,
          `printf '#!/bin/sh\n%s\n' '${script}' >/usr/bin/${name}; chmod 755 /usr/bin/${name}`,
        );
    },
  },
];

/** What the program does instead, what the source then tells, and whether the backup is complete all the same. */
const failures: { does: string; says: RegExp; complete?: true }[] = [
  { does: '"$real" "$@"; echo "disk on fire" >&2; exit 3', says: /exited with 3: disk on fire/ },
  { does: 'exit 0', says: /does not begin like one/ },
  { does: '"$real" "$@" | head -c 3000; exit 0', says: /ends before its end/ },
  { does: '"$real" "$@" | head -c 3000; sleep 600', says: /took longer than 3 seconds/ },
  { does: '"$real" "$@"; echo "one strange thing" >&2', says: /one strange thing/, complete: true },
];

const home = temporaryDirectory();
const context = quietContext(join(home, 'state'));

async function run(container: string, script: string): Promise<string> {
  const { status, stdout, stderr } = await runInContainer(engine, container, ['sh', '-c', script], {
    timeout: 60,
  });
  assert.is(status, 0, stderr);
  return stdout;
}

for (const { fixture, kind, program, dumping, ready } of cases) {
  test(`${kind}: every failure of a dump is told, spoils that snapshot alone, and not the next`, async () => {
    const name = uniqueName('dump');
    const image = await loadFixture(engine, fixture);
    const labels = { [labelNames.deployment]: name, [labelNames.service]: 'db' };
    await engine.containers.create({ name, image, labels, networkMode: 'none' });
    try {
      await engine.containers.start(name);
      await ready(name);
      const file = join(home, `${name}.yaml`);
      const source = `{service: db, dump: ${kind}, timeout: "$TIMEOUT"}`;
      const backup = `{repository: ${home}/${kind}, sources: {data: ${source}}}`;
      const text = `name: ${name}\nx-dockerctl: {backup: ${backup}}\nservices: {db: {image: ${image}}}\n`;
      writeFileSync(file, text, { mode: 0o600 });
      const repository = await openOrCreateRepository(join(home, kind), context);
      const save = async (TIMEOUT = '60s') => {
        const deployment = await readDeployment(file, { environment: { TIMEOUT } });
        const { snapshot } = await createBackup(
          deployment,
          { engine, repository, full: true, host: 'h' },
          context,
        );
        const { complete, warnings } = snapshot.sources.find((one) => one.name === 'data')!;
        return { complete, said: warnings.join('\n') };
      };
      assert.equal(await save(), { complete: true, said: '' });
      for (const { does, says, complete = false } of failures) {
        await replace(name, program, `case "$*" in ${dumping}) ${does} ;; *) exec "$real" "$@" ;; esac`);
        const saved = await save(does.includes('sleep') ? '3s' : undefined);
        assert.match(saved.said, says, `${does}: ${saved.said}`);
        assert.is(saved.complete, complete, does);
        await run(name, `mv ${program}.real ${program}`);
      }
      const found = (await run(name, `which -a ${basename(program)} | grep ^/usr`)).trim().split('\n');
      for (const path of found) await run(name, `mv ${path} ${path}.real`);
      const lacking = await save();
      for (const path of found) await run(name, `mv ${path}.real ${path}`);
      assert.is(lacking.complete, false);
      assert.match(lacking.said, `the container has no program ${basename(program)}`);
      assert.equal(await running(name, 'sleep 600'), [], 'the hanging program has ended');
      assert.equal(await save(), { complete: true, said: '' });
      const report = await repository.verify({ readData: true }, context);
      assert.equal(report.damage, []);
      await repository.close();
    } finally {
      await engine.containers.remove(name, { force: true, volumes: true });
    }
  });
}

/** Directories in /proc of the processes whose command line is exactly this. */
async function running(container: string, command: string): Promise<string[]> {
  const found = await run(
    container,
    `for p in /proc/[0-9]*; do [ "$(tr '\\0' ' ' 2>/dev/null <$p/cmdline)" != "${command} " ] || echo $p; done`,
  );
  return found.split('\n').filter(Boolean);
}

async function replace(container: string, program: string, script: string): Promise<void> {
  const text = `#!/bin/sh\nreal=${program}.real\n${script}\n`;
  const encoded = Buffer.from(text).toString('base64');
  await run(
    container,
    `mv ${program} ${program}.real && echo ${encoded} | base64 -d >${program} && chmod 755 ${program}`,
  );
}

test.run();

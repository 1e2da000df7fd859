import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type BackupOptions, createBackup } from '../../src/backup/create.ts';
import type { BackupReport, SourceReport } from '../../src/backup/report.ts';
import { labelNames } from '../../src/deployment/names.ts';
import { readDeployment } from '../../src/deployment/read.ts';
import { connectEngine } from '../../src/engine/connect.ts';
import { openOrCreateRepository } from '../../src/repository/open.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { EngineUnreachableError } from '../../src/support/errors.ts';
import { testEngine } from '../support/engine.ts';
import { loadBusyboxImage, uniqueName } from '../support/images.ts';
import { quietContext } from '../support/save-directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const { socket } = await testEngine();
const engine = connectEngine({ host: `unix://${socket}` });
const name = uniqueName('saved');
const image = await loadBusyboxImage(engine);
const home = temporaryDirectory();
const context = quietContext(join(home, 'state'));
const volume = await engine.volumes.create(`${name}_uploads`);
const container = await engine.containers.create({
  name,
  image,
  command: ['sleep', '600'],
  networkMode: 'none',
  labels: { [labelNames.deployment]: name, [labelNames.service]: 'app' },
  mounts: [{ type: 'volume', source: volume.name, target: '/uploads' }],
});
await engine.containers.start(container);
let count = 0;

test.after(async () => {
  await engine.containers.remove(container, { force: true });
  await engine.volumes.remove(volume.name);
  await engine.images.remove(image);
});

interface Host {
  save(using?: typeof engine, options?: Pick<BackupOptions, 'unsettled'>): Promise<BackupReport>;
  /** The content of a file in the latest snapshot, complete or not. */
  read(source: string, path: string): Promise<string>;
  /** Every entry of the latest snapshot: path, type, mode, owner, seconds, link, chunks. */
  list(source: string): Promise<unknown[][]>;
}

/** A deployment with these lines under `backup:`. */
function host(...lines: string[]): Host {
  return hostWith(image, ...lines);
}

function hostWith(databaseImage: string, ...lines: string[]): Host {
  const directory = join(home, String(count++));
  mkdirSync(directory, { mode: 0o700 });
  const file = join(directory, 'dockerctl.yaml');
  writeFileSync(
    file,
    `name: ${name}
services: {app: {image: ${image}}, database: {image: ${databaseImage}}}
volumes: {uploads: {}, nowhere: {}}
x-dockerctl:
  backup:
    repository: ${directory}/repository
${lines.map((line) => `    ${line}\n`).join('')}`,
    { mode: 0o600 },
  );
  async function withRepository<T>(act: (repository: Repository) => Promise<T>): Promise<T> {
    const repository = await openOrCreateRepository(join(directory, 'repository'), context);
    try {
      return await act(repository);
    } finally {
      await repository.close();
    }
  }
  return {
    async save(using = engine, options = {}) {
      const deployment = await readDeployment(file, { environment: {} });
      return withRepository((repository) =>
        createBackup(
          deployment,
          { engine: using, repository, full: false, host: 'here', ...options },
          context,
        ),
      );
    },
    list: (source) => withRepository((repository) => listOf(repository, source)),
    read: (source, path) => withRepository((repository) => readFrom(repository, source, path)),
  };
}

async function listOf(repository: Repository, source: string): Promise<unknown[][]> {
  const latest = (await repository.snapshots()).at(-1)!;
  const entries = await Array.fromAsync(repository.entries(latest, source));
  return entries.map(({ path, type, mode, uid, gid, mtime, target, hardlink, size }) => {
    return [
      path,
      type,
      mode,
      uid,
      gid,
      mtime / 1_000_000_000n,
      target,
      hardlink,
      hardlink === undefined ? size : 0,
    ];
  });
}

async function readFrom(repository: Repository, source: string, path: string): Promise<string> {
  const latest = (await repository.snapshots()).at(-1)!;
  for await (const entry of repository.entries(latest, source)) {
    if (entry.path !== path) continue;
    return Buffer.concat(await Array.fromAsync(repository.content(latest, entry))).toString();
  }
  throw new Error(`no ${path} in ${source}`);
}

function outcome({ complete, warnings }: SourceReport): [boolean, string[]] {
  return [complete, warnings];
}

test('a source that was read while what it reads was being replaced is incomplete, and no other', async () => {
  const paths = ['a', 'b'].map((one) => join(home, `replaced-${one}`));
  for (const path of paths) writeFileSync(path, 'x');
  const { save } = host(`sources: {a: {paths: [${paths[0]}]}, b: {paths: [${paths[1]}]}}`);
  const asked: Date[] = [];
  const unsettled = async (since: Date) => (asked.push(since) === 2 ? 'replaced meanwhile' : undefined);
  const { snapshot } = await save(engine, { unsettled });
  assert.equal(
    snapshot.sources.map((source) => [source.name, source.complete]),
    [
      ['deployment', true],
      ['a', false],
      ['b', true],
    ],
  );
  assert.ok(asked.every((since, i) => i === 0 || since >= asked[i - 1]!));
});

test('a volume is saved from the host, and what a container wrote into it is there', async () => {
  const { save, read } = host('sources: {uploads: {volume: uploads}}');
  const { exitCode } = await engine.containers.exec(container, {
    command: ['sh', '-c', 'mkdir -p /uploads/sub && echo hello > /uploads/sub/a'],
  });
  await exitCode;
  const { sources, snapshot } = await save();
  assert.is(snapshot.complete, true);
  assert.is(sources[1]?.files, 1);
  assert.equal(sources[1]?.origin, { volume: volume.name });
  assert.is(await read('uploads', 'sub/a'), 'hello\n');
  assert.is((await save()).unchanged, true);
});

test('a volume that this host cannot see is saved through the engine, the same as from the host', async () => {
  const script = [
    'cd /uploads; rm -rf *; mkdir -p sub/deep "sub-" .hidden; echo a > sub/a; echo b > sub/deep/b; echo c > "sub-/c d"',
    'ln sub/a sub/z; ln -s sub/a link; mkfifo pipe; chmod 4711 sub/a; chown 5:6 sub/deep; touch -d @1000000000 sub/deep/b',
    'name=$(printf "n\\303\\251"); head -c 3000000 /dev/urandom > .hidden/$name',
    'odd=$(printf "o\\377d\\n"); long=$(printf "%0200d\\376" 0); mkdir "d$odd"; echo > "d$odd/$odd"; echo > "d$odd/$long"',
    'ln -s "$odd" "l$odd"; ln -s "$long" "l$long"; ln "d$odd/$odd" "x$odd"; ln "d$odd/$long" "x$long"',
  ];
  const { exitCode } = await engine.containers.exec(container, { command: ['sh', '-c', script.join(';')] });
  assert.is(await exitCode, 0);
  const remote = { ...engine, info: async () => ({ ...(await engine.info()), local: false }) };
  const direct = host('sources: {uploads: {volume: uploads}}');
  const through = host('sources: {uploads: {volume: uploads}}');
  assert.is((await direct.save()).snapshot.complete, true);
  const { sources } = await through.save(remote);
  assert.equal(outcome(sources[1]!), [true, []]);
  assert.equal(await through.list('uploads'), await direct.list('uploads'));
  assert.is((await through.save(remote)).unchanged, true);
});

test('the container that a volume is read through is made again when others prune it before', async () => {
  let pruned = 0;
  const containers: typeof engine.containers = {
    ...engine.containers,
    async readArchive(id, path) {
      if (pruned++ < 2) await engine.containers.remove(id);
      return engine.containers.readArchive(id, path);
    },
  };
  const remote = { ...engine, containers, info: async () => ({ ...(await engine.info()), local: false }) };
  const { sources } = await host('sources: {uploads: {volume: uploads}}').save(remote);
  assert.equal(outcome(sources[1]!), [true, []]);
  assert.is(pruned, 3);
});

test('include and exclude mean the same through the engine', async () => {
  const lines = ['sources:', '  uploads: {volume: uploads, include: ["*.log", /kept/], exclude: [secret]}'];
  const script =
    'cd /uploads; rm -rf * .hidden; mkdir -p a/b kept/secret none; echo > a/b/x.log; echo > a/y; echo > kept/z; echo > kept/secret/q';
  const { exitCode } = await engine.containers.exec(container, { command: ['sh', '-c', script] });
  assert.is(await exitCode, 0);
  const remote = { ...engine, info: async () => ({ ...(await engine.info()), local: false }) };
  const [direct, through] = [host(...lines), host(...lines)];
  await direct.save();
  await through.save(remote);
  const paths = (await through.list('uploads')).map(([path]) => path);
  assert.equal(paths, ['.', 'a', 'a/b', 'a/b/x.log', 'kept', 'kept/z']);
  assert.equal(await through.list('uploads'), await direct.list('uploads'));
});

test('a volume that does not exist makes the snapshot incomplete', async () => {
  const { sources } = await host('sources: {gone: {volume: nowhere}}').save();
  assert.equal(outcome(sources[1]!), [false, [`volume ${name}_nowhere: does not exist`]]);
});

test('what a command prints is saved, in a container and on the host', async () => {
  const { save, read } = host(
    'sources:',
    '  inside: {service: app, run: [sh, -c, "echo in; hostname >/dev/null"], restore: [cat]}',
    '  outside: {run: [seq, "100000"], restore: [cat]}',
  );
  const { snapshot } = await save();
  assert.is(snapshot.complete, true);
  assert.is(await read('inside', 'output'), 'in\n');
  assert.is((await read('outside', 'output')).split('\n').length, 100_001);
  assert.is((await save()).unchanged, true);
});

test('a command is good only with exit 0, in time and with something to say; its complaints are kept', async () => {
  const run = (command: string, more = '') =>
    `{run: [sh, -c, ${JSON.stringify(command)}], restore: [cat]${more}}`;
  const { save } = host(
    'sources:',
    `  fails: ${run('echo half; echo no room >&2; exit 3')}`,
    `  silent: ${run('true')}`,
    `  hangs: ${run('echo half; sleep 100', ', timeout: 1s')}`,
    `  killed: ${run('echo half; kill -9 $$$$')}`,
    `  noisy: ${run('echo all; echo by the way >&2')}`,
    `  absent: {service: database, run: [cat], restore: [cat]}`,
    `  inside: {service: app, run: [sh, -c, "echo half; echo no room >&2; exit 4"], restore: [cat]}`,
    `  lacking: {service: app, run: [slapcat], restore: [cat]}`,
  );
  const { sources, snapshot } = await save();
  assert.is(snapshot.complete, false);
  assert.equal(sources.slice(1).map(outcome), [
    [false, ['running sh: exit 3: no room']],
    [false, ['running sh: it printed nothing']],
    [false, ['running sh: timed out']],
    [false, ['running sh: killed by SIGKILL']],
    [true, ['by the way']],
    [false, ['looking for the container of database: it does not run']],
    [false, ['running sh in app: sh exited with 4: no room']],
    [false, ['running slapcat in app: the container has no program slapcat']],
  ]);
  assert.is(sources[1]?.files, 0);
});

test('why a source is incomplete comes before whatever else was said, and all that a failed program said is kept', async () => {
  const run = (command: string) => `{run: [sh, -c, ${JSON.stringify(command)}], restore: [cat]}`;
  const { save } = host(
    'sources:',
    `  silent: ${run('echo by the way >&2')}`,
    `  fails: ${run('echo error: no room >&2; echo hint: make some >&2; exit 3')}`,
    `  files: {paths: [${home}/link, ${home}/not-there]}`,
  );
  symlinkSync('elsewhere', join(home, 'link'));
  assert.equal((await save()).sources.slice(1).map(outcome), [
    [false, ['running sh: it printed nothing', 'by the way']],
    [false, ['running sh: exit 3: hint: make some', 'error: no room\nhint: make some']],
    [
      false,
      [
        `${home}/not-there: does not exist`,
        `${home}/link: is a symbolic link, and only the link is saved; name what it points at`,
      ],
    ],
  ]);
});

test('a command that suddenly prints much less is told of', async () => {
  const list = join(home, 'list');
  const { save } = host(`sources: {list: {run: [cat, ${list}], restore: [cat]}}`);
  writeFileSync(list, 'x'.repeat(1000));
  await save();
  writeFileSync(list, 'x'.repeat(99));
  assert.equal(outcome((await save()).sources[1]!), [true, ['what cat prints: 99 B, last time 1000 B']]);
});

test('so it is when it failed in between', async () => {
  const list = join(home, 'failing-list');
  const { save } = host(`sources: {list: {run: [cat, ${list}], restore: [cat]}}`);
  writeFileSync(list, 'x'.repeat(1000));
  await save();
  rmSync(list);
  assert.is((await save()).snapshot.complete, false);
  writeFileSync(list, 'x'.repeat(99));
  assert.equal(outcome((await save()).sources[1]!), [true, ['what cat prints: 99 B, last time 1000 B']]);
});

test('a dump whose service does not run makes the snapshot incomplete, and everything else is saved', async () => {
  const { sources, snapshot } = await host(
    'sources:',
    '  database: {service: database, dump: postgres}',
    '  after: {run: [echo, x], restore: [cat]}',
  ).save();
  assert.is(snapshot.complete, false);
  assert.equal(outcome(sources[1]!), [false, ['looking for the container of database: it does not run']]);
  assert.equal(outcome(sources[2]!), [true, []]);
});

test('an include list that nothing matches makes the snapshot incomplete, for nothing was saved', async () => {
  const directory = mkdtempSync(join(home, 'directory-'));
  writeFileSync(join(directory, 'a.conf'), '');
  const of = (include: string) => host(`sources: {files: {paths: [${directory}], include: [${include}]}}`);
  const outcomes = [await of('"*.cnf"').save(), await of('"*.conf"').save()].map(({ sources }) =>
    outcome(sources[1]!),
  );
  assert.equal(outcomes, [
    [false, ['nothing that is there matches include']],
    [true, []],
  ]);
});

test('of databases that are files, each that fails is named', async () => {
  const missing = join(home, 'none.db');
  const directory = mkdtempSync(join(home, 'directory-'));
  const files = `[${missing}, ${directory}, ${home}/locked.db]`;
  const locked = new DatabaseSync(join(home, 'locked.db'));
  locked.exec('CREATE TABLE t (a); BEGIN EXCLUSIVE');
  try {
    const { sources } = await host(`sources: {lite: {dump: sqlite, files: ${files}, timeout: 4s}}`).save();
    assert.equal(outcome(sources[1]!), [
      false,
      [
        `copying ${missing}: it does not exist`,
        `copying ${directory}: it is no file`,
        `${home}/locked.db: copying the databases of this host: took longer than 4 seconds`,
      ],
    ]);
  } finally {
    locked.close();
  }
});

test('a dump that fails names the container as people know it', async () => {
  const { sources } = await host('sources: {cache: {service: app, dump: redis}}').save();
  const [complete, [problem = '']] = outcome(sources[1]!) as [boolean, string[]];
  assert.is(complete, false);
  assert.ok(problem.startsWith(`asking redis-cli in ${name} for PING: `), problem);
});

test('images are saved as the files of a bundle, and not asked for again while they are the same', async () => {
  const { save, read } = host('sources: {images: {images: true}}');
  const first = await save();
  assert.equal(outcome(first.sources[1]!), [true, []]);
  const manifest = JSON.parse(await read('images', 'manifest.json'));
  assert.equal(manifest[0].RepoTags, [image]);
  assert.is((await read('images', manifest[0].Layers[0])).length > 0, true);
  const saving = {
    ...engine,
    images: { ...engine.images, save: () => Promise.reject(new Error('asked again')) },
  };
  assert.is((await save(saving)).unchanged, true);
});

test('an image that the engine does not have makes the snapshot incomplete, and the others are saved', async () => {
  const { sources } = await hostWith('no/such:image', 'sources: {images: {images: true}}').save();
  assert.equal(outcome(sources[1]!), [false, ['image no/such:image: the engine does not have it']]);
  assert.ok(sources[1]!.files > 3);
});

test('inventories and the deployment file go along; an inventory that is none makes the snapshot incomplete', async () => {
  const good = host(
    'sources: {a: {run: [echo, x], restore: [cat]}}',
    'inventories:',
    '  nodes: {service: app, run: [echo, \'[{"id": 1}]\'], key: id, label: id, advice: none}',
  );
  assert.is((await good.save()).snapshot.complete, true);
  assert.is(await good.read('deployment', 'inventories/nodes.json'), '[{"id": 1}]\n');
  assert.match(await good.read('deployment', 'deployment.yaml'), `name: ${name}`);
  assert.is((await good.save()).unchanged, true);
  const bad = host(
    'sources: {a: {run: [echo, x], restore: [cat]}}',
    'inventories:',
    '  nodes: {service: app, run: [echo, \'[{"name": 1}]\'], key: id, label: id, advice: none}',
  );
  assert.equal(outcome((await bad.save()).sources[0]!), [
    false,
    ['inventory nodes: it printed no JSON array of objects with the key id'],
  ]);
});

test('an engine that is needed and cannot be reached refuses before anything is written; paths alone need none', async () => {
  const nobody = connectEngine({ host: 'unix:///nonexistent/docker.sock' });
  await host('sources: {uploads: {volume: uploads}}')
    .save(nobody)
    .then(
      () => assert.unreachable(),
      (error: unknown) => assert.instance(error, EngineUnreachableError),
    );
  const { snapshot } = await host('sources: {etc: {paths: [/etc/hostname]}}').save(nobody);
  assert.is(snapshot.complete, true);
});

test.run();

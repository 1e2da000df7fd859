import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exitCodes } from '../../../../src/cli/exit-codes.ts';
import { openRepository } from '../../../../src/repository/open.ts';
import { type CliResult, runCli } from '../../../support/cli.ts';
import { testEngine } from '../../../support/engine.ts';
import { quietContext } from '../../../support/save-directory.ts';
import { makeSshKey } from '../../../support/ssh-keys.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const { engine } = await testEngine();
let count = 0;

/** A host with a repository of its own. */
function makeHost(moreSetting = '') {
  const root = temporaryDirectory();
  const live = join(root, 'live');
  mkdirSync(join(live, 'data'), { recursive: true });
  let stateDir = join(root, `state-${count++}`);
  const host = makeSshKey(root, 'host');
  const run = (name: string, ...argv: string[]): Promise<CliResult> => {
    const file = join(root, `${name}.yaml`);
    const more = `{title: More, paths: [${live}/more]${moreSetting}}`;
    const sources = `{data: {title: The data, paths: [${live}/data]}, more: ${more}}`;
    const backup = `{repository: ${root}/repository, signing-key: ${signingKey}, sources: ${sources}}`;
    writeFileSync(file, `name: ${name}\nservices: {}\nx-dockerctl: {backup: ${backup}}\n`, { mode: 0o600 });
    return runCli(['-f', file, '--state-dir', stateDir, '--host', engine.address, ...argv]);
  };
  let signingKey = 'none';
  const sign = (setting: string) => {
    signingKey = setting;
  };
  const content = join(live, 'data', 'content');
  const save = async (text: string, name = 'shop') => {
    mkdirSync(join(live, 'more'), { recursive: true });
    writeFileSync(content, text);
    const { status, stderr } = await run(name, 'backup');
    assert.is(status, exitCodes.done, stderr);
    const [, ...lines] = (await run(name, 'backup', 'list')).stdout.trimEnd().split('\n');
    return lines.at(-1)!.slice(0, 12);
  };
  const repository = join(root, 'repository');
  /** As a host does that has the name of this one and may write into its repository. */
  const plant = async () => {
    const [ownState, ownKey] = [stateDir, signingKey];
    anew();
    sign('none');
    const id = await save('planted');
    [stateDir, signingKey] = [ownState, ownKey];
    return id;
  };
  /** The same host, but it remembers nothing. */
  const anew = () => {
    stateDir = join(root, `state-${count++}`);
  };
  return { root, live, content, host, sign, run, save, plant, anew, repository };
}

test('a restore says first which snapshot of what time it brought back', async () => {
  const { run, save, content } = makeHost();
  const id = await save('saved');
  writeFileSync(content, 'changed');
  const { status, stdout } = await run('shop', 'restore', 'latest', '--yes');
  assert.is(status, exitCodes.done);
  assert.match(
    stdout,
    new RegExp(`^restored snapshot ${id} of shop on \\S+, as it was at \\d{4}-\\d\\d-\\d\\d \\d\\d:`),
  );
  assert.is(readFileSync(content, 'utf8'), 'saved');
});

test('that latest is not the newest stands first and last, with the reason', async () => {
  const { run, save, live } = makeHost();
  await save('whole');
  rmSync(join(live, 'more'), { recursive: true });
  assert.is((await run('shop', 'backup')).status, exitCodes.incomplete);
  const told = /NOT THE NEWEST: snapshot [0-9a-f]{12} of \d{4}-.* is passed over: it is incomplete: More: /;
  const planned = (await run('shop', 'restore', 'latest', '-n')).stdout.trimEnd().split('\n');
  assert.match(planned[1]!, told);
  assert.match(planned.at(-1)!, told);
  const { stdout, stderr } = await run('shop', 'restore', 'latest', '--yes');
  const lines = stdout.trimEnd().split('\n');
  assert.match(lines[1]!, told);
  assert.match(lines.at(-1)!, told);
  assert.match(stderr, told);
  const { passedOver } = JSON.parse((await run('shop', 'restore', 'latest', '-n', '--json')).stdout);
  assert.is(passedOver.length, 1);
});

test('latest is what was saved last, and a night whose clock was ahead is told of', async () => {
  const { run, save, root, repository } = makeHost();
  await save('before');
  const context = { ...quietContext(join(root, 'state of that night')), now: () => new Date('2099-01-01') };
  const ahead = await openRepository(repository, context);
  const night = await ahead.beginRun({ host: hostname(), deployment: 'shop', release: undefined }, context);
  const { id } = await night.commit();
  await ahead.close();
  await run('shop', 'backup');
  const last = JSON.parse((await run('shop', 'backup', 'show', '--json')).stdout);
  assert.is(last.predecessor, id);
  const { stdout } = await run('shop', 'restore', 'latest', '-n');
  assert.match(stdout, new RegExp(`^snapshot ${last.id.slice(7, 19)} `));
  assert.not.match(stdout, 'NOT THE NEWEST');
  assert.match(
    stdout,
    new RegExp(
      `^note: snapshot ${id.slice(7, 19)} says that it is of [-\\d]+ [:\\d]+ [-+:\\d]+, but was made before`,
      'm',
    ),
  );
});

test('a source that is restored with all others but is not in this night is told of, and where it is', async () => {
  const { run, save } = makeHost(', full: true');
  await save('without it');
  const none = (await run('shop', 'restore', 'latest', '--full', '-n')).stdout;
  assert.match(none, /^note: More is not in this snapshot: no other has it$/m);
  await run('shop', 'backup', '--full');
  const [, ...lines] = (await run('shop', 'backup', 'list')).stdout.trimEnd().split('\n');
  const holder = lines.at(-1)!.slice(0, 12);
  await save('without it again');
  const told = new RegExp(
    `More is not in this snapshot: ${holder} of \\d{4}-[-:\\d ]+ [-+]\\d\\d:\\d\\d is the newest that has it`,
  );
  assert.match((await run('shop', 'restore', 'latest', '--full', '-n')).stdout, told);
  const left = new RegExp(`^leaves out More: only with --full, and not in this snapshot: ${holder} of `, 'm');
  assert.match((await run('shop', 'restore', 'latest', '-n')).stdout, left);
  assert.match((await run('shop', 'restore', 'latest', '--full', '--yes')).stderr, told);
});

test('a snapshot that is damaged is refused with the command that restores the newest whole one', async () => {
  const { run, save, live, content, repository, root } = makeHost();
  await save('the oldest');
  const whole = await save('whole');
  const blobs = join(repository, 'blobs', 'sha256');
  const before = new Set(readdirSync(blobs));
  writeFileSync(join(live, 'data', 'more'), randomBytes(100_000));
  await save('damaged');
  const added = readdirSync(blobs).filter((name) => !before.has(name));
  const pack = added.find((name) => statSync(join(blobs, name)).size > 100_000)!;
  flipByte(join(blobs, pack), 50_000);
  writeFileSync(content, 'living');
  const typed = `dockerctl restore ${whole} takes the newest one that is not known to be damaged, of `;
  const refused = await run('shop', 'restore', 'latest', '--yes');
  assert.is(refused.status, exitCodes.damaged);
  assert.match(refused.stderr, `\n  ${typed}`);
  assert.is((await run('shop', 'backup', 'verify')).status, exitCodes.damaged);
  const planned = await run('shop', 'restore', 'latest', '-n');
  assert.match(planned.stdout, `the last check found this snapshot damaged: ${typed}`);
  const elsewhere = await run(
    'shop',
    'restore',
    'latest',
    '-r',
    repository,
    '--to',
    join(root, 'to'),
    '--yes',
  );
  const options = `--repository ${repository} --to ${join(root, 'to')}`;
  assert.match(elsewhere.stderr, `dockerctl restore ${whole} ${options} takes the newest`);
  assert.is((await run('shop', 'restore', whole, '--yes')).status, exitCodes.done);
  assert.is(readFileSync(content, 'utf8'), 'whole');
});

function flipByte(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 1;
  writeFileSync(path, bytes);
}

test('so does a newer one that cannot be read', async () => {
  const { run, save, repository } = makeHost();
  const whole = await save('whole');
  const lost = await save('lost');
  const blobs = join(repository, 'blobs', 'sha256');
  const config = readdirSync(blobs).find((name) => name.startsWith(lost))!;
  truncateSync(join(blobs, config), 10);
  const { status, stdout } = await run('shop', 'restore', 'latest', '--yes');
  assert.is(status, exitCodes.done);
  assert.match(stdout, new RegExp(`^restored snapshot ${whole} `));
  assert.match(
    stdout.trimEnd().split('\n').at(-1)!,
    new RegExp(`snapshot ${lost} of \\d{4}.*it cannot be read: `),
  );
});

test('that a snapshot is of another deployment is told', async () => {
  const { run, save, content, repository } = makeHost();
  await save('of the shop');
  const other = await save('of the blog', 'blog');
  const { stdout } = await run('shop', 'restore', 'latest', '--yes');
  assert.match(stdout, /^restored snapshot [0-9a-f]{12} of shop /);
  assert.is(readFileSync(content, 'utf8'), 'of the shop');
  for (const named of [[other], ['latest', '-r', repository]]) {
    const { stdout } = await run('shop', 'restore', ...named, '-n');
    assert.match(stdout, 'note: the backup is of the deployment blog, here is shop');
  }
});

test('where there is no deployment file, what else latest could have meant is told', async () => {
  const { run, save, root, repository } = makeHost();
  await save('of the shop');
  await save('of the blog', 'blog');
  const to = join(root, 'beside');
  const { stdout } = await run('blog', 'restore', 'latest', '-n', '--to', to, '-r', repository);
  assert.match(stdout, /note: `latest` is of blog on \S+; there are snapshots of shop on \S+ too/);
});

test('latest is never what only says that it is of this host, once this host has one of its own', async () => {
  const { run, save, sign, host, content, plant } = makeHost();
  sign(host);
  const own = await save('own');
  const planted = [await plant(), await plant()];
  const { status, stdout } = await run('shop', 'restore', 'latest', '--yes');
  assert.is(status, exitCodes.done);
  assert.is(readFileSync(content, 'utf8'), 'own');
  assert.match(stdout, new RegExp(`^restored snapshot ${own} `));
  for (const id of planted)
    assert.match(
      stdout,
      new RegExp(`^NOT THE NEWEST: snapshot ${id} .*: this host did not make it, though`, 'm'),
    );
  assert.match((await run('shop', 'backup', 'show', 'latest')).stdout, `snapshot:    sha256:${own}`);
});

test('one that this host made without its key is latest all the same', async () => {
  const { run, save, sign, host } = makeHost();
  sign(host);
  await save('signed');
  sign('none');
  const unsigned = await save('not signed');
  sign(host);
  const { stdout } = await run('shop', 'restore', 'latest', '-n');
  assert.match(stdout, new RegExp(`^snapshot ${unsigned} `));
  assert.not.match(stdout, 'NOT THE NEWEST');
});

test('a host that came in the place of another takes the newest by its name, until it has one of its own', async () => {
  const { run, save, sign, host, root, anew } = makeHost();
  sign(host);
  const lost = await save('of the lost host');
  anew();
  sign(makeSshKey(root, 'new'));
  const { stdout } = await run('shop', 'restore', 'latest', '-n');
  assert.match(stdout, new RegExp(`^snapshot ${lost} `));
  assert.not.match(stdout, 'NOT THE NEWEST');
  const own = await save('of the new host');
  assert.match((await run('shop', 'restore', 'latest', '-n')).stdout, new RegExp(`^snapshot ${own} `));
});

test('one that is not signed after one that this host signed is told of where it is named', async () => {
  const { run, save, sign, host, plant, repository } = makeHost();
  sign(host);
  const signed = await save('signed');
  await plant();
  const planted = await plant();
  for (const named of [[planted], ['latest', '-r', repository]]) {
    const { stdout } = await run('shop', 'restore', ...named, '-n');
    assert.match(stdout, new RegExp(`^snapshot ${planted} `));
    assert.match(
      stdout,
      `note: snapshot ${signed} before it is signed by this host, and this one is not signed`,
    );
  }
  assert.not.match((await run('shop', 'restore', signed, '-n')).stdout, 'before it');
});

for (const spoil of ['missing', 'cut'] as const) {
  test(`a pack that is ${spoil} is noticed by a dry run, and only where it is needed`, async () => {
    const { run, save, repository, live } = makeHost();
    mkdirSync(join(live, 'more'));
    writeFileSync(join(live, 'more', 'file'), 'of another pack');
    await save('saved');
    const manifest = manifestOf(repository);
    const pack = packOf(manifest, 'more');
    const path = join(repository, 'blobs', 'sha256', pack.slice('sha256:'.length));
    if (spoil === 'missing') rmSync(path);
    else truncateSync(path, statSync(path).size - 1);
    const { status, stderr } = await run('shop', 'restore', 'latest', '-n');
    assert.is(status, exitCodes.damaged);
    assert.match(stderr, `blobs/sha256/${pack.slice('sha256:'.length)}`);
    assert.match(stderr, '--skip-damaged restores what can be read');
    assert.is((await run('shop', 'restore', 'latest', '-n', '--only', 'data')).status, exitCodes.done);
    assert.not.ok(existsSync(join(live, 'more', '.dockerctl-restore')));
  });
}

type Layer = { digest: string; mediaType: string; annotations: Record<string, string> };

function manifestOf(repository: string): { layers: Layer[] } {
  const blob = (digest: string) => readFileSync(join(repository, 'blobs', 'sha256', digest.slice(7)), 'utf8');
  const { manifests } = JSON.parse(readFileSync(join(repository, 'index.json'), 'utf8'));
  return JSON.parse(blob(manifests.at(-1).digest));
}

function packOf({ layers }: { layers: Layer[] }, source: string): string {
  return layers.find(
    ({ mediaType, annotations }) => mediaType.includes('pack') && annotations['dockerctl.source'] === source,
  )!.digest;
}

test.run();

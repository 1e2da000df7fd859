import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../support/cli.ts';
import { flip } from '../../support/flip.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { type Blobs, type DamagedHost, lose, makeDamagedHost } from './damaged-host.ts';

const root = temporaryDirectory();

for (const sealed of [false, true]) {
  const kind = sealed ? 'encrypted' : 'plain';
  const host = await makeDamagedHost(root, { sealed });
  const { names } = host;
  const key = host.identity === undefined ? [] : ['--identity', host.identity];

  async function restore(spoil: (blobs: Blobs) => void, ...argv: string[]) {
    const to = join(mkdtempSync(join(root, 'out-')), 'here');
    const named = ['latest', '--repository', host.damage(spoil), ...key, '--to', to, '--yes'];
    const result = await host.run('restore', ...named, ...argv);
    return { ...result, to, data: join(to, 'data', host.data) };
  }

  const inTree = (name: string) => join(host.data, name).slice(1);

  test(`${kind}: a damaged snapshot is refused, and it is told what can be done`, async () => {
    for (const spoil of [loseSegment(1), flipSegment(2), losePack('firstPack'), flipPack('firstPack')]) {
      const { status, stderr, to } = await restore(spoil);
      assert.is(status, 14, stderr);
      assert.match(
        stderr,
        /dockerctl restore [0-9a-f]{12} --repository .* --to .* takes the newest|No other snapshot here is whole/,
      );
      assert.match(stderr, '--skip-damaged restores what can be read');
      assert.is(stderr.trimEnd().split('\n').length, 2, stderr);
      assert.not.ok(existsSync(to));
    }
  });

  test(`${kind}: past a lost part of the tree everything comes back that can be read`, async () => {
    for (const spoil of [loseSegment(1), flipSegment(1)]) {
      const { status, stdout, data } = await restore(spoil, '--skip-damaged');
      assert.is(status, 14, stdout);
      const range = `after ${inTree(names.endsFirst)} and before ${inTree(names.behind)}`;
      assert.match(stdout, `LOST data:every file ${range}\n`);
      assert.match(stdout, `LOST data:${inTree(names.other)}: the file that it is another name of is lost\n`);
      assert.match(stdout, `owner and rights are LOST, only root may enter: data:${inTree(names.sub)}\n`);
      assert.match(stdout, 'the snapshot is DAMAGED: lost are 1 file, and 1 stretch of which');
      assert.match(stdout, /restored The data: 5 files, /);
      const there = [names.before, names.endsFirst, names.behind, names.late, names.large];
      assert.equal(sameFiles(host, data), there.sort());
      assert.is(statSync(join(data, names.sub)).mode & 0o777, 0o700);
    }
  });

  test(`${kind}: the first and the last part of a tree can be lost too`, async () => {
    const first = await restore(loseSegment(0), '--skip-damaged');
    assert.is(first.status, 14);
    assert.match(first.stdout, `LOST data:every file before ${inTree(names.lost)}\n`);
    assert.ok(sameFiles(host, first.data).includes(names.other));
    const last = await restore(loseSegment(2), '--skip-damaged');
    assert.match(last.stdout, `LOST data:every file after ${inTree(names.endsSecond)}\n`);
    const both = await restore((blobs) => {
      for (const segment of [0, 1]) loseSegment(segment)(blobs);
    }, '--skip-damaged');
    assert.match(both.stdout, `LOST data:every file before ${inTree(names.behind)}\n`);
    assert.equal(sameFiles(host, both.data), [names.behind, names.late, names.large].sort());
  });

  test(`${kind}: a file comes back whole or not at all`, async () => {
    const late = await restore(losePack('latePack'), '--skip-damaged');
    assert.is(late.status, 14);
    assert.match(late.stdout, `LOST data:${inTree(names.late)}: `);
    const all = Object.values(names).filter((name) => name !== names.sub);
    assert.equal(sameFiles(host, late.data), all.filter((name) => name !== names.late).sort());
    const large = await restore(flipPack('firstPack'), '--skip-damaged');
    assert.is(large.status, 14);
    assert.match(large.stdout, 'lost are 1 file\n');
    assert.equal(sameFiles(host, large.data), all.filter((name) => name !== names.large).sort());
    assert.is(statSync(join(large.data, names.sub)).mode & 0o777, 0o750);
  });

  test(`${kind}: the plan tells the same, a source of which nothing is left is named, and nothing at all is refused`, async () => {
    const planned = await restore(losePack('latePack'), '--skip-damaged', '--dry-run');
    assert.is(planned.status, 14);
    assert.match(planned.stdout, `LOST data:${inTree(names.late)}: `);
    assert.not.ok(existsSync(planned.to));
    const spoil = (blobs: Blobs) => blobs.segments.forEach(lose);
    const nothing = await restore(spoil, '--skip-damaged', '--only', 'data');
    assert.is(nothing.status, 14);
    assert.match(nothing.stderr, 'nothing is left to restore: The data: DAMAGED: nothing of it can be read');
    const others = await restore(spoil, '--skip-damaged', '--json');
    assert.is(others.status, 14);
    const { losses, sources } = JSON.parse(others.stdout);
    assert.equal(losses[0].ranges, ['data:every file']);
    assert.equal(sources.map(({ name }: { name: string }) => name).sort(), ['deployment', 'printed']);
  });

  test(`${kind}: with nothing damaged it ends well`, async () => {
    const { status, stdout } = await restore(() => {}, '--skip-damaged');
    assert.is(status, 0, stdout);
    assert.not.match(stdout, 'LOST');
  });

  test(`${kind}: an archive in which a byte is wrong gives what is left too`, async () => {
    const archive = join(host.root, 'host.tar');
    assert.is((await host.run('backup', 'export', 'latest', '-o', archive)).status, 0);
    flip(archive);
    const to = join(mkdtempSync(join(root, 'out-')), 'here');
    const argv = ['restore', archive, ...key, '--to', to, '--yes'];
    const refused = await host.run(...argv);
    assert.is(refused.status, 14);
    assert.match(refused.stderr, '--skip-damaged');
    const done = await host.run(...argv, '--skip-damaged');
    assert.is(done.status, 14, done.stderr);
    assert.match(done.stdout, `LOST data:${inTree(names.large)}: `);
    assert.ok(sameFiles(host, join(to, 'data', host.data)).includes(names.behind));
  });

  test(`${kind}: where the deployment file is lost, it is told that one is needed`, async () => {
    const repository = host.damage(({ deployment }) => lose(deployment));
    const argv = ['restore', 'latest', '--repository', repository, ...key, '--skip-damaged', '--yes'];
    const { status, stderr } = await runCli(argv, { workingDirectory: mkdtempSync(join(root, 'empty-')) });
    assert.is(status, 14);
    assert.match(stderr, /looking for its deployment file: .*\n +Write one and name it with --file/);
  });

  test(`${kind}: ls and cat reach what lies behind the damage, and say what they cannot know`, async () => {
    const repository = host.damage(loseSegment(1));
    const backup = (command: string, ...argv: string[]) =>
      host.run('backup', command, 'latest', ...argv, '--repository', repository, ...key);
    const listed = await backup('ls', 'data');
    assert.is(listed.status, 14);
    assert.match(listed.stderr, `cannot list data:every file after ${inTree(names.endsFirst)} and before `);
    assert.ok(listed.stdout.includes(`${join(host.data, names.large)}\n`));
    assert.is((await backup('ls', join(host.data, names.before))).status, 0);
    assert.is((await backup('ls', join(host.data, names.sub))).status, 14);
    assert.is((await backup('cat', join(host.data, names.behind))).stdout, `content of ${names.behind}`);
    assert.is((await backup('cat', join(host.data, names.lost))).status, 14);
    assert.is((await backup('cat', join(host.data, names.sub))).status, 14);
    assert.is((await backup('cat', join(host.data, 'zz'))).status, 10);
  });
}

/** Names of the files that are there, each of which must be what it was. */
function sameFiles(host: DamagedHost, directory: string): string[] {
  const all = readdirSync(directory, { recursive: true, withFileTypes: true });
  const files = all.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  return files
    .map((file) => {
      const name = relative(directory, file);
      assert.ok(readFileSync(file).equals(readFileSync(join(host.data, name))), `${name} is another`);
      return name;
    })
    .sort();
}

function loseSegment(number: number) {
  return ({ segments }: Blobs) => lose(segments[number]!);
}

function flipSegment(number: number) {
  return ({ segments }: Blobs) => flip(segments[number]!);
}

function losePack(which: 'firstPack' | 'latePack') {
  return (blobs: Blobs) => lose(blobs[which]);
}

function flipPack(which: 'firstPack' | 'latePack') {
  return (blobs: Blobs) => flip(blobs[which]);
}

test.run();

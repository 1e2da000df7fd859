import { mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Blobs, lose, makeDamagedHost } from '../../restore/salvage/damaged-host.ts';
import { flip } from '../../support/flip.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = temporaryDirectory();
const host = await makeDamagedHost(root, { sealed: true });
const { names } = host;
const inTree = (name: string) => `data:${join(host.data, name).slice(1)}`;

/** What a check without any key says is spoiled, by this host or by one that knows nothing. */
async function spoiledBy(spoil: (blobs: Blobs) => void, stateDir = host.stateDir): Promise<string[]> {
  const options = ['--repository', host.damage(spoil), '--state-dir', stateDir, '--json'];
  const { status, stdout, stderr } = await host.run('backup', 'verify', ...options);
  assert.is(status, 14, stderr);
  return JSON.parse(stdout).damage.flatMap(({ files }: { files: string[] }) => files);
}

test('a host without the key names what a lost part of its last tree told of, for it remembers', async () => {
  for (const spoil of [lose, flip]) {
    assert.equal(
      await spoiledBy(({ segments }) => spoil(segments[1]!)),
      [names.lost, names.sub, names.endsSecond].map(inTree),
    );
  }
});

test('it names the files of a pack that is missing', async () => {
  assert.equal(await spoiledBy(({ latePack }) => lose(latePack)), [inTree(names.late)]);
  const ofPack = await spoiledBy(({ firstPack }) => lose(firstPack));
  assert.ok(ofPack.includes(inTree(names.large)));
  assert.not.ok(ofPack.includes(inTree(names.late)));
  assert.equal(await spoiledBy(({ firstPack }) => flip(firstPack)), [], 'which of them, only the key tells');
});

test('what it remembers in part bounds the rest', async () => {
  const { segments } = await blobsOfHost();
  const cache = join(host.stateDir, 'cache');
  const [repository] = readdirSync(cache);
  lose(join(cache, repository!, segments[1]!.slice(segments[1]!.lastIndexOf('/') + 1)));
  const [range, ...others] = await spoiledBy((blobs) => lose(blobs.segments[1]!));
  const [after, before] = [names.endsFirst, names.behind].map((name) => inTree(name).slice('data:'.length));
  assert.is(range, `data:every file after ${after} and before ${before}`);
  assert.equal(others, []);
});

test('a host that remembers nothing claims nothing', async () => {
  const stateDir = mkdtempSync(join(root, 'state-'));
  assert.equal(await spoiledBy(({ segments }) => lose(segments[1]!), stateDir), []);
  assert.equal(await spoiledBy(({ firstPack }) => lose(firstPack), stateDir), []);
});

async function blobsOfHost(): Promise<Blobs> {
  let found: Blobs | undefined;
  host.damage((blobs) => {
    found = blobs;
  });
  return found!;
}

test.run();

import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Engine } from '../../src/engine/engine.ts';
import { docker113, ociArchive } from '../archive/fixtures/eras.ts';
import { type FixtureImage, fixtureImage } from '../archive/fixtures/images.ts';
import { type Entry, tarOf } from '../archive/fixtures/tar.ts';
import { runCli } from '../support/cli.ts';
import { throwawayEngine } from '../support/engine.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const directory = temporaryDirectory();

async function bigImage(name: string, contents: string[]): Promise<FixtureImage> {
  return await fixtureImage({ references: [`dockerctl-disaster/${name}:1.4`], contents });
}

async function archiveAt(name: string, entries: readonly Entry[]): Promise<string> {
  const path = join(directory, name);
  writeFileSync(path, await tarOf(entries));
  return path;
}

async function imagesOf(engine: Engine): Promise<string[]> {
  return (await engine.images.list()).map(({ id, tags }) => `${id} ${tags}`).sort();
}

function commandLine(socket: string, state: string) {
  return { DOCKER_HOST: `unix://${socket}`, DOCKERCTL_STATE_DIR: join(directory, state) };
}

test('an engine whose disk is too small is found out before a byte is sent, or keeps nothing', async () => {
  const root = join(directory, 'small-disk');
  mkdirSync(root);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'tmpfs', root]);
  const { engine, socket, stop } = await throwawayEngine('load-small-disk', { dataRoot: root });
  const environment = commandLine(socket, 'small');
  try {
    const incompressible = randomBytes(40 << 20).toString('latin1');
    const plain = await archiveAt('plain.tar', docker113([await bigImage('plain', [incompressible])]));
    const seen = await runCli(['images', 'load', plain], { environment });
    assert.is(seen.status, 13, seen.stderr);
    // Zeros that hide behind gzip: nobody can tell their size beforehand.
    const bomb = await archiveAt('bomb.tar', ociArchive([await bigImage('bomb', ['\0'.repeat(300 << 20)])]));
    const full = await runCli(['images', 'load', bomb], { environment });
    assert.is(full.status, 13, full.stderr);
    assert.equal(await imagesOf(engine), []);
    const small = await archiveAt('small.tar', docker113([await bigImage('small', ['fits'])]));
    assert.is((await runCli(['images', 'load', small], { environment })).status, 0);
  } finally {
    await stop();
    execFileSync('umount', ['-l', root]);
  }
});

test('a loader that is killed at any moment leaves no image behind, and the next load needs no hand', async () => {
  const { engine, socket, stop } = await throwawayEngine('load-kill');
  const environment = commandLine(socket, 'kill');
  try {
    const image = await bigImage(
      'kill',
      ['a', 'b', 'c'].map((text) => randomBytes(8 << 20).toString('latin1') + text),
    );
    const path = await archiveAt('kill.tar', docker113([image]));
    for (const delay of [150, 300, 450, 600, 800, 1000]) {
      await killedAfter(delay, ['images', 'load', path], environment);
      await settled(engine);
      const held = await engine.images.inspect(image.references[0]!);
      // It may have been killed after everything was sent: then the image is whole.
      if (held !== undefined) {
        assert.equal(
          held.diffIds,
          image.layers.map(({ diffId }) => diffId),
        );
        await engine.images.remove(held.id);
      }
      assert.equal(await imagesOf(engine), []);
    }
    const { status, stderr } = await runCli(['images', 'load', path], { environment });
    assert.is(status, 0, stderr);
  } finally {
    await stop();
  }
});

async function killedAfter(
  milliseconds: number,
  args: string[],
  environment: Record<string, string>,
): Promise<void> {
  const child = spawn(process.execPath, ['src/cli/bin.ts', ...args], {
    env: { ...process.env, ...environment },
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  await setTimeout(milliseconds);
  child.kill('SIGKILL');
  await ended;
}

/** An engine that has everything goes on by itself: until its list of images stays the same. */
async function settled(engine: Engine): Promise<void> {
  for (let last = '?', now = ''; last !== now; ) {
    last = now || '?';
    await setTimeout(300);
    now = (await imagesOf(engine)).join('\n') || 'none';
  }
}

test.run();

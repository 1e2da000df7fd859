import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Engine, EngineInfo } from '../../../src/engine/engine.ts';
import { docker25, docker113, ociArchive } from '../../archive/fixtures/eras.ts';
import { type FixtureImage, fixtureImage } from '../../archive/fixtures/images.ts';
import { type Entry, tarOf } from '../../archive/fixtures/tar.ts';
import { runCli } from '../../support/cli.ts';
import { startCli } from '../../support/cli-process.ts';
import { throwawayEngine } from '../../support/engine.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** What an engine with that image store is left with when things go wrong, seen from the command line. */
export function testDisasters(test: Test, store: EngineInfo['store']): void {
  const directory = temporaryDirectory();

  async function bigImage(name: string, contents: string[]): Promise<FixtureImage> {
    return await fixtureImage({ references: [`dockerctl-disaster/${name}:1.4`], contents });
  }

  async function archiveAt(name: string, entries: readonly Entry[]): Promise<string> {
    const path = join(directory, name);
    writeFileSync(path, await tarOf(entries));
    return path;
  }

  function commandLine(socket: string, state: string) {
    return { DOCKER_HOST: `unix://${socket}`, DOCKERCTL_STATE_DIR: join(directory, state) };
  }

  test('an engine whose disk is too small is found out before a byte is sent, or keeps nothing', async () => {
    const root = join(directory, 'small-disk');
    mkdirSync(root);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'tmpfs', root]);
    const { engine, socket, stop } = await throwawayEngine(`load-small-${store}`, { dataRoot: root, store });
    const environment = commandLine(socket, 'small');
    try {
      const incompressible = randomBytes(40 << 20).toString('latin1');
      const plain = await archiveAt('plain.tar', docker113([await bigImage('plain', [incompressible])]));
      const seen = await runCli(['images', 'load', plain], { environment });
      assert.is(seen.status, 13, seen.stderr);
      // Zeros that hide behind gzip: nobody can tell their size beforehand.
      const bomb = await archiveAt(
        'bomb.tar',
        ociArchive([await bigImage('bomb', ['\0'.repeat(300 << 20)])]),
      );
      const full = await runCli(['images', 'load', bomb], { environment });
      assert.is(full.status, 13, full.stderr);
      const piped = await runCli(['images', 'load', '-'], { environment, stdin: readFileSync(bomb) });
      assert.is(piped.status, 13, piped.stderr);
      assert.equal(await imagesOf(engine), []);
      const small = await archiveAt('small.tar', docker113([await bigImage('small', ['fits'])]));
      assert.is((await runCli(['images', 'load', small], { environment })).status, 0);
    } finally {
      await stop();
      execFileSync('umount', ['-l', root]);
    }
  });

  test('a loader that is killed at any moment leaves no image behind, and the next load needs no hand', async () => {
    const { engine, socket, stop } = await throwawayEngine(`load-kill-${store}`, { store });
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
        // It may have been killed after everything was sent: then the image is whole.
        for (const { id } of await engine.images.list()) {
          assert.equal((await engine.images.inspect(id))?.diffIds, diffIdsOf(image));
          await engine.images.remove(id);
        }
      }
      const { status, stderr } = await runCli(['images', 'load', path], { environment });
      assert.is(status, 0, stderr);
    } finally {
      await stop();
    }
  });

  test('a flipped byte in any entry, its header included, is damage, or changes nothing that is loaded', async () => {
    const { engine, socket, stop } = await throwawayEngine(`load-flip-${store}`, { store });
    const environment = commandLine(socket, 'flip');
    try {
      const image = await fixtureImage({ references: ['dockerctl-disaster/flip:1.4'] });
      const tar = await tarOf(docker25([image]));
      const path = join(directory, 'flip.tar');
      let refused = 0;
      for (const at of placesInEachEntry(tar)) {
        const damaged = Buffer.from(tar);
        damaged[at]! ^= 0x10;
        writeFileSync(path, damaged);
        const piped = at % 2 === 0;
        const { status, stderr } = piped
          ? await runCli(['images', 'load', '-'], { environment, stdin: damaged })
          : await runCli(['images', 'load', path], { environment });
        const here = await engine.images.list();
        if (status === 0) {
          // Padding, a time stamp, a file nobody reads: what was loaded is the image all the same.
          const held = await engine.images.inspect(here[0]!.id);
          assert.equal([here.length, held?.diffIds], [1, diffIdsOf(image)], `byte ${at}`);
          await engine.images.remove(held!.tags[0]!);
        } else {
          assert.is(status, 14, `byte ${at}: ${stderr}`);
          assert.equal(here, [], `byte ${at}`);
          refused += 1;
        }
      }
      assert.ok(refused > 20, `${refused} refused`);
      assert.equal(await imagesOf(engine), []);
    } finally {
      await stop();
    }
  });
}

/**
 * In each entry a byte of its name, of its header's numbers, at the beginning, the middle and the end of its content.
 */
function* placesInEachEntry(tar: Buffer): Generator<number> {
  for (let at = 0; tar[at] !== 0; ) {
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8);
    yield at + 3;
    yield at + 130;
    if (size > 0) yield* new Set([at + 512, at + 512 + (size >> 1), at + 511 + size]);
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

function diffIdsOf({ layers }: FixtureImage): string[] {
  return layers.map(({ diffId }) => diffId);
}

async function imagesOf(engine: Engine): Promise<string[]> {
  return (await engine.images.list()).map(({ id, tags }) => `${id} ${tags}`).sort();
}

async function killedAfter(
  milliseconds: number,
  args: string[],
  environment: Record<string, string>,
): Promise<void> {
  const child = startCli(args, environment);
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

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { outputOfCommand } from '../../../src/backup/sources/command-output.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const surroundings = { engine: {} as Engine, deployment: { name: 'shop' } };
const { signal } = new AbortController();

function output(script: string, timeout?: number): AsyncGenerator<Uint8Array> {
  const said = { service: undefined, command: ['sh', '-c', script], timeout };
  return outputOfCommand(said, surroundings, signal, () => {});
}

test('a program of the host whose output nobody wants any more is ended', async () => {
  const file = join(temporaryDirectory(), 'pid');
  for await (const _ of output(`echo $$ >${file}; echo begun; exec sleep 300`)) break;
  const process = `/proc/${readFileSync(file, 'utf8').trim()}/status`;
  for (let look = 0; look < 100 && existsSync(process); look++) await setTimeout(50);
  assert.not.ok(existsSync(process));
});

test('what a program of the host leaves behind with its output open is waited for until its time is up', async () => {
  const reading = async () => {
    for await (const _ of output('setsid sleep 30 & echo begun', 0.5));
  };
  await reading().then(
    () => assert.unreachable('it counts as whole'),
    (error: Error) => assert.is(error.message, 'running sh: timed out'),
  );
});

test.run();

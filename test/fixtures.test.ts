import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadFixture } from '../scripts/fixtures/image.ts';
import { testEngine } from './support/engine.ts';
import { uniqueName } from './support/images.ts';

const { engine } = await testEngine();

/** Runs `command` in a new container of `image` until it succeeds; returns its output. */
async function answerOf(
  image: string,
  environment: Record<string, string>,
  command: string[],
): Promise<string> {
  const name = uniqueName();
  await engine.containers.create({ name, image, environment });
  try {
    await engine.containers.start(name);
    for (let tries = 0; tries < 100; tries += 1) {
      const { stdout, stderr, exitCode } = await engine.containers.exec(name, { command });
      const [answer] = await Promise.all([text(stdout), text(stderr)]);
      if ((await exitCode) === 0) return answer;
      await setTimeout(200);
    }
    throw new Error(`${command.join(' ')} never succeeded`);
  } finally {
    await engine.containers.remove(name, { force: true, volumes: true });
  }
}

test('the postgres fixture is a real server with the database that was asked for', async () => {
  const image = await loadFixture(engine, 'postgres');
  const environment = { POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'shop' };
  const query = ['psql', '-U', 'postgres', '-Atc', 'select current_database()', 'shop'];
  assert.is(await answerOf(image, environment, query), 'shop\n');
});

test('the nginx fixture serves its page', async () => {
  const image = await loadFixture(engine, 'nginx');
  assert.match(await answerOf(image, {}, ['sh', '-c', 'cat /run/nginx.pid']), /^\d+\n$/);
});

test.run();

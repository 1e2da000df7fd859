import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadFixture } from '../scripts/fixtures/image.ts';
import { testEngine } from './support/engine.ts';
import { uniqueName } from './support/images.ts';

const { engine } = await testEngine();

/** Starts a container of `image`, asks until there is an answer, and removes it. */
async function answerOf(
  image: string,
  environment: Record<string, string>,
  ask: (container: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  const name = uniqueName();
  await engine.containers.create({ name, image, environment });
  try {
    await engine.containers.start(name);
    for (let tries = 0; tries < 900; tries += 1) {
      const answer = await ask(name).catch(() => undefined);
      if (answer !== undefined) return answer;
      await setTimeout(200);
    }
    return undefined;
  } finally {
    await engine.containers.remove(name, { force: true, volumes: true });
  }
}

test('the postgres fixture is a real server with the database that was asked for', async () => {
  const image = await loadFixture(engine, 'postgres');
  const environment = { POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'shop' };
  const command = ['psql', '-U', 'postgres', '-Atc', 'select current_database()', 'shop'];
  const answer = await answerOf(image, environment, async (name) => {
    const { stdout, stderr, exitCode } = await engine.containers.exec(name, { command });
    const [said] = await Promise.all([text(stdout), text(stderr)]);
    return (await exitCode) === 0 ? said : undefined;
  });
  assert.is(answer, 'shop\n');
});

test('the nginx fixture serves its page', async () => {
  const image = await loadFixture(engine, 'nginx');
  const answer = await answerOf(image, {}, async (name) => {
    const { addresses } = (await engine.containers.inspect(name)) ?? {};
    return (await fetch(`http://${addresses?.bridge}/`)).text();
  });
  assert.match(answer ?? '', 'It works.');
});

test.run();

import { buffer } from 'node:stream/consumers';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Engine } from '../../../src/engine/engine.ts';
import { NotFoundError } from '../../../src/support/errors.ts';
import { testEngine, throwawayEngine } from '../../support/engine.ts';
import { loadBusyboxImage, uniqueName } from '../../support/images.ts';

const tests = suite('vanishing containers');
const rounds = 8;

for (const store of ['classic', 'containerd'] as const) {
  const { engine, stop } = await engineWith(store);
  const { containers } = engine;
  const image = await loadBusyboxImage(engine);
  const name = uniqueName('vanishing');
  const test = (title: string, run: () => Promise<void>) => tests(`${title} (${store} store)`, run);
  const create = () =>
    containers.create({ name, image, command: ['sleep', '1000'], networkMode: 'none', stopTimeout: 1 });
  const remove = () => containers.remove(name, { force: true });

  tests.after(async () => {
    await unlessGone(remove());
    await engine.images.remove(image);
    await stop();
  });

  test('a container that several remove at once is removed, whoever was first', async () => {
    for (let round = 0; round < rounds; round += 1) {
      await create();
      if (round % 2 === 0) await containers.start(name);
      await Promise.all([remove(), remove(), remove()].map(unlessGone));
      assert.is(await containers.inspect(name), undefined);
    }
  });

  test('a container takes the name of one that is still being removed', async () => {
    for (let round = 0; round < rounds; round += 1) {
      await create();
      await containers.start(name);
      const removal = remove();
      while ((await containers.inspect(name))?.state === 'running');
      const id = await create();
      await removal;
      assert.is((await containers.inspect(name))?.id, id, 'only the old one was removed');
      await remove();
    }
  });

  test('a name that a container has and keeps is refused at once', async () => {
    await create();
    const error = await create().catch((thrown) => thrown);
    assert.match(error.message, `creating ${name}: Conflict`);
    await remove();
  });

  test('what is asked of a container that is removed meanwhile is answered, or there is none', async () => {
    const answers = { there: 0, gone: 0 };
    for (let round = 0; round < rounds; round += 1) {
      await create();
      let removed = false;
      const removal = remove().finally(() => {
        removed = true;
      });
      const asking = askingEverything(engine, name).map(async (ask) => {
        while (!removed) answers[(await unlessGone(ask())) ? 'there' : 'gone'] += 1;
      });
      await Promise.all([removal, ...asking]);
    }
    assert.ok(answers.there > 0, JSON.stringify(answers));
  });
}

/** Starting an engine takes a while: of the classic store there is one that runs anyway. */
async function engineWith(store: 'classic' | 'containerd') {
  if (store === 'containerd') return throwawayEngine('vanishing-containers', { store });
  return { ...(await testEngine()), stop: async () => {} };
}

/** Whether it was there. */
async function unlessGone(answer: Promise<unknown>): Promise<boolean> {
  const error = await answer.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error !== undefined && !(error instanceof NotFoundError)) throw error;
  return error === undefined;
}

function askingEverything({ containers }: Engine, name: string): (() => Promise<unknown>)[] {
  return [
    () => containers.list(),
    () => containers.inspect(name),
    () => containers.update(name, { restart: { name: 'no' } }),
    async () => {
      const { stdout, stderr } = await containers.logs(name);
      await Promise.all([buffer(stdout), buffer(stderr)]);
    },
    async () => buffer(await containers.readArchive(name, '/bin/busybox')),
  ];
}

tests.run();

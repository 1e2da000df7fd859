import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Images } from '../../../src/engine/engine.ts';
import { NotFoundError } from '../../../src/support/errors.ts';
import { throwawayEngine } from '../../support/engine.ts';
import { dockerArchive, streamOf, uniqueReference } from '../../support/images.ts';

const tests = suite('vanishing images');

for (const store of ['classic', 'containerd'] as const) {
  const { engine, stop } = await throwawayEngine(`vanishing-${store}`, { store });
  const { images } = engine;
  tests.after(stop);

  tests(`an image that is removed while it is asked about is there or is not (${store} store)`, async () => {
    const answers = { there: 0, gone: 0 };
    for (let round = 0; round < 40; round += 1) {
      const { reference, id } = await loadOne(images);
      let removed = false;
      const removal = images.remove(reference).finally(() => {
        removed = true;
      });
      const ask = async () => {
        while (!removed) answers[(await images.inspect(id)) === undefined ? 'gone' : 'there'] += 1;
      };
      const list = async () => {
        while (!removed) await images.list();
      };
      await Promise.all([removal, ask(), ask(), ask(), ask(), list(), list()]);
      assert.is(await images.inspect(id), undefined);
    }
    assert.ok(answers.there > 0, JSON.stringify(answers));
  });

  tests(`an image that several remove, save or tag while it goes is not there (${store} store)`, async () => {
    const answers = { there: 0, gone: 0 };
    for (let round = 0; round < 15; round += 1) {
      const { reference, id } = await loadOne(images);
      const asking = [
        ...Array.from({ length: 4 }, (_, i) => images.remove(i % 2 === 0 ? reference : id, { force: true })),
        images.save([reference]).then(drain),
        images.tag(id, reference),
        images.save([id]).then(drain),
      ];
      for (const answer of asking)
        answer.then(
          () => {
            answers.there += 1;
          },
          () => {},
        );
      for (const answer of asking)
        await answer.catch((error) => {
          assert.instance(error, NotFoundError, String(error));
          answers.gone += 1;
        });
      await images.remove(reference).catch(() => {});
    }
    assert.ok(answers.there > 0 && answers.gone > 0, JSON.stringify(answers));
  });

  tests(
    `an image that is removed while it is loaded is loaded, or has vanished (${store} store)`,
    async () => {
      for (let round = 0; round < 15; round += 1) {
        const reference = uniqueReference();
        const archive = await dockerArchive([{ references: [reference], layers: [{ a: reference }] }]);
        let loaded = false;
        const loading = images.load(streamOf(archive)).finally(() => {
          loaded = true;
        });
        const remove = async () => {
          while (!loaded) await images.remove(reference).catch(() => {});
        };
        const [answer] = await Promise.allSettled([loading, remove()]);
        const { reason } = answer as PromiseRejectedResult;
        if (answer.status === 'rejected') assert.is(reason.facts?.vanished, true, String(reason));
        await images.remove(reference).catch(() => {});
      }
    },
  );
}

async function loadOne(images: Images): Promise<{ reference: string; id: string }> {
  const reference = uniqueReference();
  const archive = await dockerArchive([{ references: [reference], layers: [{ a: reference }] }]);
  await images.load(streamOf(archive));
  return { reference, id: (await images.inspect(reference))!.id };
}

async function drain(pieces: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of pieces);
}

tests.run();

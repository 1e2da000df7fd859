import { Readable } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DamagedError, FailedError, InterruptedError, NotFoundError } from '../../../src/support/errors.ts';
import { throwawayEngine } from '../../support/engine.ts';
import { dockerArchive, loadBusyboxImage, streamOf, uniqueReference } from '../../support/images.ts';

const tests = suite('images');

const tiny = (reference: string) =>
  dockerArchive([
    {
      references: [reference],
      layers: [{ a: reference }, { b: 'b' }],
      config: { User: 'nobody', Labels: { x: 'y' } },
    },
  ]);

for (const store of ['classic', 'containerd'] as const) {
  // Engines of their own, because what others load meanwhile would show in the lists compared here.
  const { engine, stop } = await throwawayEngine(`images-${store}`, { store });
  const { images } = engine;
  const test = (title: string, run: () => Promise<void>) => tests(`${title} (${store} store)`, run);
  tests.after(stop);

  test('an image that is loaded is listed and described', async () => {
    const reference = uniqueReference();
    const loaded = await images.load(streamOf(await tiny(reference)));
    assert.equal(loaded, { references: [reference], ids: [] });
    const image = await images.inspect(reference);
    assert.is(image?.diffIds.length, 2);
    assert.equal(
      [image?.os, image?.architecture, image?.user, image?.labels],
      ['linux', 'amd64', 'nobody', { x: 'y' }],
    );
    assert.ok((await images.list()).some(({ id, tags }) => id === image?.id && tags.includes(reference)));
    await images.remove(reference);
    assert.is(await images.inspect(reference), undefined);
  });

  test('an image without a name is reported by its id', async () => {
    const archive = await dockerArchive([{ references: [], layers: [{ a: uniqueReference() }] }]);
    const { references, ids } = await images.load(streamOf(archive));
    assert.equal(references, []);
    assert.is(ids.length, 1);
    await images.remove(ids[0]!);
  });

  test('an image that is saved can be loaded again', async () => {
    const reference = uniqueReference();
    await images.load(streamOf(await tiny(reference)));
    const before = await images.inspect(reference);
    const archive = await copied(await images.save([reference]));
    await images.remove(reference);
    await images.load(streamOf(archive));
    assert.equal(await images.inspect(reference), before);
    await images.remove(reference);
  });

  test('saving what does not exist names it', async () => {
    const error = await images.save(['no-such-image:1']).catch((thrown) => thrown);
    assert.instance(error, NotFoundError);
    assert.match(error.message, /no-such-image:1/);
  });

  test('a tag is a further name, and a registry port is none', async () => {
    const reference = await loadBusyboxImage(engine);
    const other = `localhost:5000/${uniqueReference().replace(':1', '')}`;
    await images.tag(reference, other);
    assert.equal((await images.inspect(reference))?.tags.sort(), [`${other}:latest`, reference].sort());
    await images.remove(`${other}:latest`);
    await images.remove(reference);
  });

  test('the beginning of an id names no image', async () => {
    const reference = await loadBusyboxImage(engine);
    const { id = '' } = (await images.inspect(reference)) ?? {};
    const hexadecimal = id.replace('sha256:', '');
    assert.is(await images.inspect(hexadecimal.slice(0, 12)), undefined);
    assert.is((await images.inspect(id))?.id, id);
    await images.remove(reference);
  });

  test('what cannot be a reference never reaches the engine', async () => {
    for (const text of ['', '..', 'a/../../containers', 'a?b', 'a b', 'a//b']) {
      assert.is(await images.inspect(text), undefined, text);
    }
  });

  test('what the engine takes for no reference names no image', async () => {
    for (const text of ['UPPER', 'shop/web:', 'shop/web:.x', 'shop:web:1', 'shop/Web:1']) {
      assert.is(await images.inspect(text), undefined, text);
      for (const ask of [() => images.save([text]), () => images.remove(text)]) {
        assert.instance(await ask().catch((thrown) => thrown), NotFoundError, text);
      }
    }
  });

  test("errors inside the answer to a load are thrown in the engine's words", async () => {
    const before = await images.list();
    const error = await images.load(streamOf(Buffer.alloc(2048, 'no tar'))).catch((thrown) => thrown);
    assert.instance(error, FailedError);
    assert.match(error.message, /^loading images into the engine: ./);
    assert.equal(await images.list(), before);
  });

  test('an archive that breaks leaves nothing in the engine, and its own error is thrown', async () => {
    const reference = uniqueReference();
    const archive = await tiny(reference);
    const broken = Readable.from(
      (async function* () {
        yield archive.subarray(0, archive.length - 4096);
        throw new DamagedError('a digest did not match');
      })(),
    );
    const error = await images.load(broken).catch((thrown) => thrown);
    assert.instance(error, DamagedError);
    assert.is(await images.inspect(reference), undefined);
  });

  test('an archive that is destroyed without an error does not hang', async () => {
    const archive = new Readable({ read() {} });
    archive.push(Buffer.alloc(512));
    setTimeout(() => archive.destroy(), 50);
    const error = await images.load(archive).catch((thrown) => thrown);
    assert.instance(error, Error);
  });

  test('a load that is interrupted leaves nothing in the engine', async () => {
    const reference = uniqueReference();
    const archive = await tiny(reference);
    const interrupt = new AbortController();
    const endless = Readable.from(
      (async function* () {
        yield archive.subarray(0, 4096);
        setTimeout(() => interrupt.abort(), 50);
        await new Promise(() => {});
      })(),
    );
    const error = await images.load(endless, { signal: interrupt.signal }).catch((thrown) => thrown);
    assert.instance(error, InterruptedError);
    assert.is(await images.inspect(reference), undefined);
  });
}

/** The pieces lie in memory that is used again. */
async function copied(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const copies: Buffer[] = [];
  for await (const piece of pieces) copies.push(Buffer.from(piece));
  return Buffer.concat(copies);
}

tests.run();

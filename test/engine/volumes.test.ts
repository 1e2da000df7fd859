import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FailedError, NotFoundError } from '../../src/support/errors.ts';
import { testEngine } from '../support/engine.ts';
import { uniqueName } from '../support/images.ts';

const { engine } = await testEngine();
const { volumes } = engine;
const test = suite('volumes');

test('a volume is made, listed by its labels, and removed', async () => {
  const [name, label] = [uniqueName(), uniqueName()];
  const made = await volumes.create(name, { labels: { [label]: 'x' } });
  assert.equal([made.name, made.driver, made.labels], [name, 'local', { [label]: 'x' }]);
  assert.match(made.mountpoint, name);
  assert.equal(await volumes.inspect(name), made);
  assert.equal(await volumes.list({ labels: { [label]: 'x' } }), [made]);
  await volumes.remove(name);
  assert.is(await volumes.inspect(name), undefined);
});

test('a volume that does not exist is not found, whatever it is called', async () => {
  for (const name of [uniqueName(), '', '..', 'a/b']) {
    assert.is(await volumes.inspect(name), undefined);
    assert.instance(await volumes.remove(name).catch((error) => error), NotFoundError);
  }
});

test('a volume that others remove at once is made again, or was there', async () => {
  const name = uniqueName();
  let done = false;
  const remove = async () => {
    while (!done) await volumes.remove(name).catch(() => {});
  };
  const removing = [remove(), remove(), remove(), remove()];
  try {
    for (let round = 0; round < 200; round += 1) assert.is((await volumes.create(name)).name, name);
  } finally {
    done = true;
    await Promise.all(removing);
    await volumes.remove(name).catch(() => {});
  }
});

test("options that the driver does not know are refused in the engine's words", async () => {
  const error = await volumes
    .create(uniqueName(), { driverOptions: { nonsense: '1' } })
    .catch((thrown) => thrown);
  assert.instance(error, FailedError);
  assert.match(error.message, /nonsense/);
});

test.run();

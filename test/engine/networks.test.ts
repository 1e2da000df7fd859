import { randomInt } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NotFoundError } from '../../src/support/errors.ts';
import { testEngine } from '../support/engine.ts';
import { loadBusyboxImage, uniqueName } from '../support/images.ts';

const { engine } = await testEngine();
const { networks, containers } = engine;
const test = suite('networks');
/** Of its own, for an engine keeps the networks of a run that was killed. */
const subnet = `10.231.${randomInt(256)}`;

test('a network is made, listed by its labels, and removed', async () => {
  const [name, label] = [uniqueName(), uniqueName()];
  const id = await networks.create(name, {
    internal: true,
    labels: { [label]: 'x' },
    subnets: [{ subnet: `${subnet}.0/25` }],
  });
  const network = await networks.inspect(name);
  assert.equal(network, { id, name, driver: 'bridge', internal: true, labels: { [label]: 'x' } });
  assert.equal(await networks.list({ labels: { [label]: 'x' } }), [network]);
  assert.is(await networks.inspect(id.slice(0, 12)), undefined);
  await networks.remove(name);
  assert.is(await networks.inspect(name), undefined);
  assert.instance(await networks.remove(name).catch((error) => error), NotFoundError);
});

test('a container is connected with a fixed address, and disconnected', async () => {
  const [network, name] = [uniqueName(), uniqueName()];
  await networks.create(network, { subnets: [{ subnet: `${subnet}.128/25`, gateway: `${subnet}.129` }] });
  const image = await loadBusyboxImage(engine);
  await containers.create({ name, image, command: ['sleep', '1000'] });
  await containers.start(name);
  await networks.connect(network, name, { aliases: ['db'], address: `${subnet}.137` });
  assert.is((await containers.inspect(name))?.addresses[network], `${subnet}.137`);
  await networks.disconnect(network, name);
  assert.is((await containers.inspect(name))?.addresses[network], undefined);
  await containers.remove(name, { force: true });
  await networks.remove(network);
  await engine.images.remove(image);
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { deploymentServices } from '../../../src/restore/services/deployment-services.ts';
import { readText } from '../../support/deployment.ts';
import { testEngine } from '../../support/engine.ts';
import { loadBusyboxImage, uniqueName } from '../../support/images.ts';
import { quietContext } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const { engine } = await testEngine();
const root = temporaryDirectory();

test('data is where the deployment file mounts it: a named volume or a directory, also of a service or a container that shares it', async () => {
  const [stranger, image] = [uniqueName('stranger'), await loadBusyboxImage(engine)];
  await engine.containers.create({
    name: stranger,
    image,
    networkMode: 'none',
    mounts: [{ type: 'bind', source: root, target: '/foreign' }],
  });
  try {
    const deployment = await readText(`
name: shop
services:
  data: {image: x, volumes: ["shared:/shared"], x-dockerctl: {storage: true}}
  db:
    image: x
    volumes: ["named:/named/", "${root}:/bound", "/anonymous"]
    tmpfs: [/memory]
    volumes_from: [data, "container:${stranger}:ro"]
volumes: {named: {}, shared: {}}
`);
    const services = deploymentServices({ deployment, engine, context: quietContext(root) });
    for (const [target, found] of [
      ['/named', { volume: 'shop_named' }],
      ['/bound/', { directory: root }],
      ['/shared', { volume: 'shop_shared' }],
      ['/foreign', { directory: root }],
      ['/anonymous', undefined],
      ['/memory', undefined],
      ['/bound/below', undefined],
    ] as const) {
      assert.equal(await services.mountedAt('db', target), found, target);
    }
  } finally {
    await engine.containers.remove(stranger, { force: true });
    await engine.images.remove(image).catch(() => {});
  }
});

test.run();

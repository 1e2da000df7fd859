import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { containerName } from '../../src/deployment/names.ts';
import { carryOut } from '../../src/lifecycle/carry-out/carry-out.ts';
import { observe } from '../../src/lifecycle/host-state.ts';
import { listServices } from '../../src/lifecycle/list.ts';
import { planDestroy, planRestart, planRevert, planStop } from '../../src/lifecycle/plan/stop.ts';
import { selectServices } from '../../src/lifecycle/select.ts';
import { startServices, stopServices } from '../../src/lifecycle/services.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { openCatalog } from '../../src/releases/catalog/catalog.ts';
import {
  ContainerStateError,
  FailedError,
  InterruptedError,
  NotFoundError,
} from '../../src/support/errors.ts';
import { errorOf } from '../support/deployment.ts';
import { rejects } from '../support/rejects.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { createTestHost, type Recorder } from './host.ts';

const here = await createTestHost();
const scratch = temporaryDirectory();
test.after(() => here.cleanUp());
test.after.each(async () => {
  const { deployment } = await here.host('  none: {image: IMAGE}');
  for (const { id, labels } of await here.engine.containers.list()) {
    if (labels['io.dockerctl.deployment'] !== deployment.name) continue;
    await here.engine.containers.remove(id, { force: true, volumes: true });
  }
});

const sleeper = 'image: IMAGE, network_mode: none, init: true, command: [sleep, "1000"]';

async function states(host: Recorder): Promise<Record<string, string>> {
  const { services } = await observe(host);
  return Object.fromEntries([...services].map(([name, { state }]) => [name, state]));
}

async function destroy(host: Recorder, ...names: string[]): Promise<void> {
  const state = await observe(host);
  await carryOut(planDestroy(host.deployment, state, selectServices(host.deployment, names)), host);
}

test('a deployment is built with its storage, volumes and networks, and taken down again', async () => {
  const host = await here.host(
    `  app:
    image: IMAGE
    init: true
    command: [sleep, "1000"]
    volumes_from: [data]
    volumes: ["rows:/rows"]
    x-dockerctl: {ready: [{run: [stat, /shared/made]}]}
  data:
    image: IMAGE
    network_mode: none
    volumes: [/shared]
    command: [mkdir, /shared/made]
    x-dockerctl: {storage: true}`,
    { rest: 'volumes: {rows: }' },
  );
  await startServices(['all'], host);
  assert.equal(await states(host), { data: 'exited', app: 'running' });
  const volume = await here.engine.volumes.inspect(`${here.name}_rows`);
  assert.is(volume?.labels['io.dockerctl.deployment'], here.name);
  const details = await here.engine.containers.inspect(`${here.name}-1-app`);
  assert.equal(Object.keys(details?.addresses ?? {}), [`${here.name}_default`]);
  assert.is(details?.labels['io.dockerctl.service'], 'app');
  assert.is(details?.labels['io.dockerctl.release'], '1');

  host.notes.length = 0;
  await startServices(['all'], host);
  assert.equal(host.notes, []);

  await destroy(host, 'all');
  assert.equal(await states(host), { data: 'missing', app: 'missing' });
  assert.ok(await here.engine.volumes.inspect(`${here.name}_rows`), 'a named volume outlives its services');
  assert.is(await here.engine.networks.inspect(`${here.name}_default`), undefined);
});

test('containers are found by exact names and labels, never by parts of them', async () => {
  const strangers = [`${here.name}-1-web-old`, `my-${here.name}-1-web`, `${here.name}-1-webserver`];
  for (const name of strangers) {
    const id = await here.engine.containers.create({
      name,
      image: here.image,
      command: ['sleep', '1000'],
      networkMode: 'none',
    });
    await here.engine.containers.start(id);
  }
  const host = await here.host(`  web: {${sleeper}}`);
  assert.equal(await states(host), { web: 'missing' });
  await startServices(['web'], host);
  await stopServices(['web'], host);
  await destroy(host, 'all');
  for (const name of strangers) {
    assert.is((await here.engine.containers.inspect(name))?.state, 'running', name);
    await here.engine.containers.remove(name, { force: true });
  }
});

test('a container that others made under our name is neither used nor removed', async () => {
  const host = await here.host(`  web: {${sleeper}}`);
  const name = containerName(host.deployment, { name: 'web' });
  await here.engine.containers.create({ name, image: here.image, networkMode: 'none' });
  assert.equal(await states(host), { web: 'foreign' });
  assert.match((await errorOf(startServices(['web'], host))).message, 'did not make');
  await destroy(host, 'web');
  assert.ok(await here.engine.containers.inspect(name));
  await here.engine.containers.remove(name);
});

test('the short name stays the same across releases, and two of them never run at once', async () => {
  const old = await here.host(`  web: {${sleeper}}`, { release: '1' });
  const next = await here.host(`  web: {${sleeper}}`, { release: '2' });
  await startServices(['web'], old);
  const refusal = await errorOf(startServices(['web'], next));
  assert.instance(refusal, FailedError);
  assert.match(refusal.advice ?? '', 'dockerctl -V 1 stop web');
  assert.equal(await states(next), { web: 'missing' });

  await stopServices(['web'], old);
  await startServices(['web'], next);
  const listed = await listServices(next);
  assert.equal(
    listed.map(({ name, container, state }) => [name, container, state]),
    [
      ['web', `${here.name}-2-web`, 'Running'],
      ['web', `${here.name}-1-web`, 'Stopped'],
    ],
  );
});

test('a service that never becomes ready fails with its check and last answer, and says how all stand', async () => {
  const host = await here.host(`  first: {${sleeper}}
  second:
    image: IMAGE
    network_mode: none
    init: true
    command: [sleep, "1000"]
    depends_on: [first]
    x-dockerctl: {ready: [{run: [sh, -c, "echo no such table >&2; exit 3"]}], ready-interval: 100ms, ready-timeout: 300ms}
  third: {${sleeper}, depends_on: [second]}`);
  const error = await errorOf(startServices(['all'], host));
  assert.instance(error, ContainerStateError);
  assert.match(error.message, /^second is not ready after 0\.3 s: sh -c .*: exit 3: no such table$/);
  assert.match(error.advice ?? '', 'now: first running, second running, third not created');
  assert.equal(error.facts.containers, ['first running', 'second running', 'third not created']);
});

test('a service that ends at once fails at once, with its status', async () => {
  const host = await here.host(`  web:
    image: IMAGE
    network_mode: none
    command: [sh, -c, exit 7]`);
  const error = await errorOf(startServices(['web'], host));
  assert.instance(error, ContainerStateError);
  assert.match(error.message, 'web is not ready: it has ended with status 7');
});

test('storage that fails stops the build before any service', async () => {
  const host =
    await here.host(`  data: {image: IMAGE, network_mode: none, command: ["false"], x-dockerctl: {storage: true}}
  app: {${sleeper}, volumes_from: [data]}`);
  const error = await errorOf(startServices(['all'], host));
  assert.instance(error, ContainerStateError);
  assert.match(error.message, 'ended with status 1');
  assert.equal(await states(host), { data: 'exited', app: 'missing' });
});

test('a job that others want completed runs to its end before them, once, and again on restart', async () => {
  const job = `{image: IMAGE, network_mode: none, command: [sh, -c, "echo ran >> /host/job"], volumes: ["${scratch}:/host"]}`;
  const host = await here.host(`  job: ${job}
  app: {${sleeper}, depends_on: {job: {condition: service_completed_successfully}}}`);
  const runs = () => readFileSync(join(scratch, 'job'), 'utf8').trim().split('\n').length;
  await startServices(['app'], host);
  assert.equal(await states(host), { job: 'exited', app: 'running' });
  await startServices(['all'], host);
  assert.is(runs(), 1);
  const selected = selectServices(host.deployment, ['job']);
  await carryOut(planRestart(host.deployment, await observe(host), selected), host);
  assert.is(runs(), 2);
});

test('what others remove while it is stopped or destroyed is gone, and no failure', async () => {
  const host = await here.host(
    `  web: {${sleeper}}\n  app: {image: IMAGE, init: true, command: [sleep, "1000"]}`,
  );
  await startServices(['all'], host);
  const state = await observe(host);
  const plans = [
    planStop(state, host.deployment.services),
    planDestroy(host.deployment, state, host.deployment.services),
  ];
  for (const { container } of state.services.values())
    await here.engine.containers.remove(container, { force: true });
  await here.engine.networks.remove(`${here.name}_default`);
  for (const plan of plans) await carryOut(plan, host);
  assert.equal(await states(host), { web: 'missing', app: 'missing' });
});

test('a service whose container others are removing gets a new one', async () => {
  const host = await here.host(`  web: {${sleeper}}`);
  for (let round = 0; round < 5; round += 1) {
    await startServices(['web'], host);
    const container = `${here.name}-1-web`;
    const removal = here.engine.containers.remove(container, { force: true });
    while ((await here.engine.containers.inspect(container))?.state === 'running');
    await startServices(['web'], host);
    await removal;
    assert.equal(await states(host), { web: 'running' });
  }
});

test('an image that is nowhere is an error before anything is created', async () => {
  const host = await here.host(`  web: {${sleeper}}\n  app: {image: "no-such-image:1", depends_on: [web]}`);
  const error = await errorOf(startServices(['all'], host));
  assert.instance(error, NotFoundError);
  assert.equal(await states(host), { web: 'missing', app: 'missing' });
});

test('an interruption while a service is not ready ends the wait, and a second run continues there', async () => {
  const controller = new AbortController();
  const flag = join(scratch, 'ready');
  const services = `  web:
    image: IMAGE
    network_mode: none
    init: true
    command: [sleep, "1000"]
    volumes: ["${scratch}:/host"]
    x-dockerctl: {ready: [{run: [stat, /host/ready]}], ready-interval: 50ms}`;
  const host = await here.host(services, { signal: controller.signal });
  const started = errorOf(startServices(['web'], host));
  while ((await states(host)).web !== 'running') await setTimeout(20);
  controller.abort(new InterruptedError('interrupted'));
  const error = await started;
  assert.instance(error, InterruptedError);
  assert.match(error.advice ?? '', 'now: web running');
  assert.not.ok(existsSync(flag));
});

test('hooks run in their places, on the host and in the container, and know whom they run for', async () => {
  const log = join(scratch, 'hooks');
  const say = (words: string) =>
    `{host: [sh, -c, 'echo ${words} $$DOCKERCTL_SERVICE $$DOCKERCTL_CONTAINER >> ${log}']}`;
  const host = await here.host(
    `  web:
    image: IMAGE
    network_mode: none
    init: true
    command: [sleep, "1000"]
    x-dockerctl:
      hooks:
        pre-start: [${say('pre-start')}]
        post-start: [{container: [mkdir, /made-by-hook]}, ${say('post-start')}]
        pre-stop: [{container: [stat, /made-by-hook]}, ${say('pre-stop')}]
        post-stop: [${say('post-stop')}]`,
  );
  await startServices(['web'], host);
  await stopServices(['web'], host);
  const who = `web ${here.name}-1-web`;
  assert.equal(readFileSync(log, 'utf8').trim().split('\n'), [
    `pre-start ${who}`,
    `post-start ${who}`,
    `pre-stop ${who}`,
    `post-stop ${who}`,
  ]);
});

test('a hook that fails is named with what it said, and the state is told', async () => {
  const host = await here.host(`  web:
    image: IMAGE
    network_mode: none
    init: true
    command: [sleep, "1000"]
    x-dockerctl: {hooks: {post-start: [{host: [sh, -c, "echo announce failed >&2; exit 4"]}]}}`);
  const error = await errorOf(startServices(['web'], host));
  assert.instance(error, ContainerStateError);
  assert.match(error.message, 'running the post-start hook sh of web: exit 4: announce failed');
  assert.match(error.advice ?? '', 'now: web running');
});

test('two that start different services at once make what both need once', async () => {
  const host =
    await here.host(`  a: {image: IMAGE, init: true, command: [sleep, "1000"], volumes_from: [data]}
  b: {image: IMAGE, init: true, command: [sleep, "1000"], volumes_from: [data]}
  data: {image: IMAGE, network_mode: none, volumes: [/shared], command: ["true"], x-dockerctl: {storage: true}}`);
  await Promise.all([startServices(['a'], host), startServices(['b'], host)]);
  assert.equal(await states(host), { data: 'exited', a: 'running', b: 'running' });
  const networks = await here.engine.networks.list();
  assert.is(networks.filter(({ name }) => name === `${here.name}_default`).length, 1);
});

test('stopping tells which services ran, and starting brings exactly those back', async () => {
  const host = await here.host(`  a: {${sleeper}}\n  b: {${sleeper}}\n  c: {${sleeper}}`);
  await startServices(['a', 'c'], host);
  const ran = await stopServices(['all'], host);
  assert.equal(ran, ['a', 'c']);
  assert.equal(await states(host), { a: 'exited', b: 'missing', c: 'exited' });
  await startServices(ran, host);
  assert.equal(await states(host), { a: 'running', b: 'missing', c: 'running' });
});

test('a container made from other settings is kept with a warning, and revert makes it anew', async () => {
  const before = await here.host(`  web: {${sleeper}}`);
  await startServices(['web'], before);
  await here.engine.containers.exec(`${here.name}-1-web`, { command: ['mkdir', '/mine'] });
  const after = await here.host(`  web: {${sleeper}, hostname: other}`);
  await startServices(['web'], after);
  assert.match(after.warnings.join(), 'its settings have changed');
  const state = await observe(after);
  await carryOut(planRevert(after.deployment, state, after.deployment.services), after);
  const again = await observe(after);
  assert.is(again.services.get('web')?.outdated, undefined);
  assert.is(again.services.get('web')?.state, 'running');
});

test('a tag that somebody moved since its release was loaded starts nothing, and what runs is left alone', async () => {
  const host = await here.host(`  a: {${sleeper}}\n  b: {${sleeper}}`, { release: 'moved' });
  const catalog = openCatalog(host.context.stateDir);
  const image = await here.engine.images.inspect(here.image);
  const recordAs = (config: string) =>
    catalog.record({
      release: 'moved',
      loaded: new Date().toISOString(),
      images: [
        {
          references: [here.image],
          platform: { os: 'linux', architecture: 'amd64' },
          config: config as Digest,
          manifest: digestOf('a manifest'),
          layers: [],
        },
      ],
    });
  await recordAs(image?.id ?? '');
  await startServices(['a'], host);
  await recordAs(digestOf('what was loaded'));
  const error = await rejects(() => startServices(['b'], host), FailedError);
  assert.match(error.message, /cannot start from .*release moved was loaded with sha256:/);
  await startServices(['a'], host);
  assert.equal(await states(host), { a: 'running', b: 'missing' });
  await catalog.forget('moved');
  await destroy(host, 'all');
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkFailure, checkServices } from '../../src/lifecycle/check.ts';
import { startServices } from '../../src/lifecycle/services.ts';
import { ContainerStateError } from '../../src/support/errors.ts';
import { createTestHost } from './host.ts';

const here = await createTestHost();
test.after(() => here.cleanUp());

test('a check tells of every service whether it is ready, and why not', async () => {
  const sleeper = 'image: IMAGE, network_mode: none, init: true, command: [sleep, "1000"]';
  const host =
    await here.host(`  data: {image: IMAGE, network_mode: none, command: ["true"], x-dockerctl: {storage: true}}
  good: {${sleeper}, x-dockerctl: {ready: [{run: ["true"]}]}}
  bad: {${sleeper}, x-dockerctl: {ready: [{run: ["true"]}, {run: [sh, -c, "stat /flag"]}]}}
  absent: {${sleeper}}`);
  await startServices(['data', 'good'], host);
  const relaxed = {
    ...host,
    deployment: {
      ...host.deployment,
      services: host.deployment.services.map((one) => ({ ...one, ready: [] })),
    },
  };
  await startServices(['bad'], relaxed);
  const checked = await checkServices(['all'], host, { interval: 0.05, timeout: 0.2 });
  assert.equal(
    checked.map(({ name, ready }) => [name, ready]),
    [
      ['data', true],
      ['good', true],
      ['bad', false],
      ['absent', false],
    ],
  );
  assert.match(checked[2]?.problem ?? '', /^sh -c stat \/flag: exit 1: stat:/);
  assert.is(checked[3]?.problem, 'it is not created');
  const failure = checkFailure(checked);
  assert.instance(failure, ContainerStateError);
  assert.match(failure?.message ?? '', 'bad is not ready: sh -c stat /flag: exit 1');
  assert.match(failure?.message ?? '', 'and 1 more');
  assert.match(failure?.advice ?? '', 'dockerctl logs bad');
  assert.is(checkFailure(checked.slice(0, 2)), undefined);
});

test('what was never created says nothing in its log: the advice is to start it', async () => {
  const host =
    await here.host(`  seed: {image: IMAGE, network_mode: none, command: ["true"], x-dockerctl: {storage: true}}
  web: {image: IMAGE, network_mode: none}`);
  const checked = await checkServices(['all'], host, { interval: 0.05, timeout: 0.2 });
  assert.equal(
    checked.map(({ problem }) => problem),
    ['it is not created', 'it is not created'],
  );
  assert.is(checkFailure(checked)?.message, 'seed is not ready: it is not created, and 1 more is not ready');
  assert.is(checkFailure(checked)?.advice, 'dockerctl start seed creates and starts it');
});

test.run();

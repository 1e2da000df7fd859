import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exitCodes } from '../../../../src/cli/exit-codes.ts';
import { runCli } from '../../../support/cli.ts';
import { testEngine } from '../../../support/engine.ts';
import { loadBusyboxImage, uniqueName } from '../../../support/images.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const { engine } = await testEngine();
const root = temporaryDirectory();
const image = await loadBusyboxImage(engine);
const name = uniqueName('releases');
const data = join(root, 'data');
mkdirSync(data);
test.after(async () => {
  for (const release of ['1', '2'])
    await engine.containers.remove(`${name}-${release}-web`, { force: true }).catch(() => {});
  await engine.images.remove(image, { force: true });
});

function dockerctl(release: string, ...argv: string[]) {
  const web = `{image: ${image}, command: [sleep, '1000'], network_mode: none, stop_grace_period: 1s, volumes: ['${data}:/data']}`;
  const backup = `{repository: ${root}/repository, signing-key: none, sources: {data: {paths: [${data}]}}}`;
  const file = join(root, 'shop.yaml');
  const ours = `x-dockerctl: {release: '${release}', backup: ${backup}}`;
  writeFileSync(file, `name: ${name}\n${ours}\nservices: {web: ${web}}\n`, { mode: 0o600 });
  return runCli(['-f', file, '--state-dir', join(root, 'state'), '--host', engine.address, ...argv]);
}

test('while another release runs that uses what would be replaced, its plan is refused, and nothing is replaced', async () => {
  writeFileSync(join(data, 'file'), 'saved');
  assert.is((await dockerctl('1', 'backup')).status, exitCodes.done);
  assert.is((await dockerctl('2', 'start', 'web')).status, exitCodes.done);
  writeFileSync(join(data, 'file'), 'changed');
  for (const how of ['--dry-run', '--yes'])
    for (const what of [[], ['--only', 'data']]) {
      const { status, stderr } = await dockerctl('1', 'restore', 'latest', how, ...what);
      assert.is(status, exitCodes.failed);
      assert.match(stderr, `another release runs: ${name}-2-web`);
      assert.match(stderr, 'dockerctl -V 2 stop web');
    }
  assert.is(readFileSync(join(data, 'file'), 'utf8'), 'changed');
  assert.is((await dockerctl('2', 'stop', 'web')).status, exitCodes.done);
  assert.is((await dockerctl('1', 'restore', 'latest', '--yes')).status, exitCodes.done);
  assert.is(readFileSync(join(data, 'file'), 'utf8'), 'saved');
});

test.run();

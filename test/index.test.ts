import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as dockerctl from '../src/index.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

test('a program backs a directory up, reads it through and brings it back', async () => {
  const home = temporaryDirectory();
  const context: dockerctl.Context = {
    progress: dockerctl.silent,
    signal: new AbortController().signal,
    now: () => new Date(),
    stateDir: join(home, 'state'),
  };
  mkdirSync(join(home, 'data'));
  writeFileSync(join(home, 'data/note'), 'kept');
  const text = `name: library
x-dockerctl: { backup: { repository: repository, sources: { data: { paths: [data] } } } }`;
  const deployment = await dockerctl.readDeployment(join(home, 'dockerctl.yaml'), { text, environment: {} });
  writeFileSync(deployment.file, text);
  const repository = await dockerctl.openOrCreateRepository(deployment.backup!.repository, context);
  const engine = dockerctl.connectEngine({ host: 'unix:///nowhere' });
  const options = { engine, repository, full: false, host: 'here' };
  const { snapshot } = await dockerctl.createBackup(deployment, options, context);
  assert.ok(snapshot.complete);
  assert.equal((await repository.verify({ readData: true }, context)).damage, []);
  const to = join(home, 'restored');
  const request = { snapshot: 'latest', only: ['data'], full: false, to };
  const restore = await dockerctl.prepareRestore(request, { repository, host: undefined }, context);
  await restore.run();
  await repository.close();
  assert.is(readFileSync(join(to, 'data', home, 'data/note'), 'utf8'), 'kept');
});

test.run();

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BackupSettings, Source } from '../../../src/deployment/backup-settings.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { prepareRestore } from '../../../src/restore/restore.ts';
import { dropKeptData, takeBackRestore } from '../../../src/restore/unfinished.ts';
import { FailedError, UsageError } from '../../../src/support/errors.ts';
import { quietContext } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { fakeServices } from '../fake-services.ts';
import { MemoryRepository } from '../memory-repository.ts';

const root = temporaryDirectory();
let count = 0;

/** A file that commands print and replace, and a repository that holds another content of it. */
function makeWorld(restore: string, run = 'cat FILE') {
  const directory = join(root, String(count++));
  mkdirSync(directory);
  const file = join(directory, 'data');
  writeFileSync(file, 'lives');
  const source: Source = {
    name: 'settings',
    title: 'Settings',
    full: false,
    kind: 'run',
    service: undefined,
    run: ['sh', '-c', run.replaceAll('FILE', file)],
    restore: ['sh', '-c', restore.replaceAll('FILE', file)],
    timeout: 60,
  };
  const memory = new MemoryRepository();
  const entries = [memory.file('output', 'restored')];
  const evil = { restore: ['sh', '-c', `echo evil >${file}`] };
  const repository = memory.take([{ name: 'settings', kind: 'run', origin: evil, entries }]);
  const services = fakeServices([{ name: 'web', state: 'missing' }]);
  const backup = { sources: [source] } as unknown as BackupSettings;
  const host = {
    engine: {} as Engine,
    services,
    deployment: { name: 'test', release: '1', volumes: [], backup },
  };
  const context = quietContext(join(directory, 'state'));
  const request = { snapshot: 'latest', only: [], full: false, to: undefined };
  const journals = () => readdirSync(join(directory, 'state/restores'));
  return { file, repository, host, context, request, services, journals };
}

test("what a command printed is given to the deployment file's own restore command, and can be taken back", async () => {
  const { file, repository, host, context, request, journals } = makeWorld('cat >FILE');
  const { plan, run } = await prepareRestore(request, { repository, host }, context);
  assert.equal(plan.sources[0]?.targets, [{ where: 'the command sh', replaces: true }]);
  const { kept } = await run();
  assert.is(readFileSync(file, 'utf8'), 'restored');
  assert.is(readFileSync(kept[0]!, 'utf8'), 'lives');
  await takeBackRestore(host, context);
  assert.is(readFileSync(file, 'utf8'), 'lives');
  assert.equal(journals(), []);

  await (await prepareRestore(request, { repository, host }, context)).run();
  await dropKeptData(host, context);
  assert.is(readFileSync(file, 'utf8'), 'restored');
  assert.equal(journals(), []);
});

test('the journal knows what a command is about to do before it does it, and what it printed is for root alone', async () => {
  const note = 'cat FILE/../state/restores/*.json >FILE.WHEN;'.replaceAll('FILE/..', '$(dirname FILE)');
  const { file, repository, host, context, request } = makeWorld(
    `${note.replace('WHEN', 'restoring')} cat >FILE`,
    `${note.replace('WHEN', 'saving')} cat FILE`,
  );
  const { kept } = await (await prepareRestore(request, { repository, host }, context)).run();
  assert.is(statSync(kept[0]!).mode & 0o777, 0o600);
  const commands = (when: string) => JSON.parse(readFileSync(`${file}.${when}`, 'utf8')).commands;
  assert.is(commands('saving')[0].before, kept[0]);
  assert.is(commands('saving')[0].begun, undefined);
  assert.is(commands('restoring')[0].begun, true);
});

test('a restore command that fails half-way is given back what was there', async () => {
  const { file, repository, host, context, request, journals } = makeWorld(
    'cat >FILE; ! grep -q restored FILE',
  );
  const { run } = await prepareRestore(request, { repository, host }, context);
  const error = await run().catch((failure: Error) => failure);
  assert.instance(error, FailedError);
  assert.match((error as Error).message, /running sh: exit 1/);
  assert.is(readFileSync(file, 'utf8'), 'lives');
  assert.equal(journals(), []);
});

test('when a service does not become ready, the command brings the old data back', async () => {
  const { file, repository, host, context, request, services } = makeWorld('cat >FILE');
  services.before = (call) => {
    if (call.startsWith('start web')) throw new FailedError('web does not answer');
  };
  const { run } = await prepareRestore(request, { repository, host }, context);
  assert.instance(await run().catch((failure: Error) => failure), Error);
  assert.is(readFileSync(file, 'utf8'), 'lives');
});

test('without a command in the deployment file, nothing of the snapshot is run', async () => {
  const { file, repository, host, context, request } = makeWorld('cat >FILE');
  const bare = { ...host, deployment: { ...host.deployment, backup: undefined } };
  const error = await prepareRestore(request, { repository, host: bare }, context).catch(
    (failure: Error) => failure,
  );
  assert.instance(error, UsageError);
  assert.is(readFileSync(file, 'utf8'), 'lives');
});

test.run();

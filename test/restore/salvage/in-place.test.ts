import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readDeployment } from '../../../src/deployment/read.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { openRepository } from '../../../src/repository/open.ts';
import type { ReadableRepository } from '../../../src/repository/repository.ts';
import { prepareRestore, type RestorePorts } from '../../../src/restore/restore.ts';
import { restoreStatus, resumeRestore, takeBackRestore } from '../../../src/restore/unfinished.ts';
import type { Context } from '../../../src/support/context.ts';
import { quietContext } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { fakeServices } from '../fake-services.ts';
import { fingerprint } from '../fingerprint.ts';
import { type Blobs, lose, makeDamagedHost } from './damaged-host.ts';

const root = temporaryDirectory();
const host = await makeDamagedHost(root, { sealed: false });
const { names, data } = host;
const opened: ReadableRepository[] = [];
test.after(async () => {
  for (const repository of opened) await repository.close();
});
const request = { snapshot: 'latest', only: [], full: false, to: undefined, skipDamaged: true };

/** What a restore over the living data has to do with, from a damaged copy of the repository. */
async function world(spoil: (blobs: Blobs) => void): Promise<{ ports: RestorePorts; context: Context }> {
  const context = quietContext(mkdtempSync(join(root, 'state-')));
  const repository = await openRepository(host.damage(spoil), context);
  opened.push(repository);
  const deployment = await readDeployment(host.file, { environment: {} });
  const services = fakeServices([{ name: 'web', mounts: [{ source: data, target: '/data' }] }]);
  return { ports: { repository, host: { engine: {} as Engine, services, deployment } }, context };
}

const loseSegment = ({ segments }: Blobs) => lose(segments[1]!);

test('what is lost stands in the plan before anything is done; the rest is replaced, and can be taken back', async () => {
  const { ports, context } = await world(loseSegment);
  writeFileSync(join(data, names.before), 'changed since');
  const before = fingerprint(data);
  const { plan, run } = await prepareRestore(request, ports, context);
  assert.equal(
    plan.losses.map(({ source, files }) => [source, files.map(({ path }) => path)]),
    [['data', [`data:${join(data, names.other).slice(1)}`]]],
  );
  assert.equal(fingerprint(data), before);
  assert.equal(plan.stop, ['web']);
  const report = await run();
  assert.equal(report.losses, plan.losses);
  assert.is(readFileSync(join(data, names.before), 'utf8'), `content of ${names.before}`);
  assert.not.ok(existsSync(join(data, names.lost)));
  const [kept] = report.kept;
  assert.ok(
    readdirSync(join(kept!, data.slice(data.lastIndexOf('/')))).includes(names.lost),
    'it is kept aside',
  );
  await takeBackRestore(ports.host, context);
  assert.equal(fingerprint(data), before);
});

test('what is of no use in part does not come back over what lives', async () => {
  rmSync(join(host.root, 'back'), { force: true });
  const { ports, context } = await world(({ printedPack }) => lose(printedPack));
  const { plan, run } = await prepareRestore(request, ports, context);
  const left = plan.skipped.find(({ name }) => name === 'printed');
  assert.match(left!.reason, 'DAMAGED');
  const { sources, losses } = await run();
  assert.equal(
    sources.map(({ name }) => name),
    ['data'],
  );
  assert.is(losses.length, 1);
  assert.not.ok(existsSync(join(host.root, 'back')), 'its command was not run');
  await takeBackRestore(ports.host, context);
});

test('killed while it was staging, it goes past the same damage when it is resumed', async () => {
  const { ports, context } = await world(loseSegment);
  const journal = await journalOfStaging(ports, context);
  const [status] = await restoreStatus(context);
  assert.is(status?.phase, 'staging', journal);
  const open = async () => ports.repository;
  const report = await resumeRestore(open, ports.host, context);
  assert.is(report.losses.length, 1);
  assert.not.ok(existsSync(join(data, names.lost)));
  await takeBackRestore(ports.host, context);
});

test('damage that comes after the plan was made is not passed over', async () => {
  const { ports, context } = await world(() => {});
  const before = fingerprint(data);
  const { run } = await prepareRestore(request, ports, context);
  const blobs = join(ports.repository.directory, 'blobs', 'sha256');
  for (const name of readdirSync(blobs)) rmSync(join(blobs, name));
  const error = await run().catch((thrown) => thrown);
  assert.is(error.name, 'DamagedError');
  assert.equal(fingerprint(data), before);
});

/** Puts the journal back that a restore had on disk when it began to write files: as after a kill. */
async function journalOfStaging(ports: RestorePorts, context: Context): Promise<string> {
  const directory = join(context.stateDir, 'restores');
  let [name, text] = ['', ''];
  const { repository } = ports;
  const prepared = await prepareRestore(request, ports, context);
  const content = repository.content.bind(repository);
  repository.content = () => {
    [name] = readdirSync(directory) as [string];
    text = readFileSync(join(directory, name), 'utf8');
    throw new Error('killed');
  };
  await prepared.run().catch(() => {});
  repository.content = content;
  writeFileSync(join(directory, name), text);
  return text;
}

test.run();

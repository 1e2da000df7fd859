import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generateIdentity } from '../../../src/repository/age/keys.ts';
import { openOrCreateRepository } from '../../../src/repository/open.ts';
import { quietContext } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('of sealed warnings their number is told, and what shows their words', async () => {
  const root = temporaryDirectory();
  const context = quietContext(join(root, 'state'));
  const identity = generateIdentity();
  const directory = join(root, 'repository');
  const repository = await openOrCreateRepository(directory, context);
  const recipients = [identity];
  const run = await repository.beginRun(
    { host: 'h', deployment: 'd', release: undefined, recipients },
    context,
  );
  for (const [name, warnings] of [
    ['one', ['a socket']],
    ['two', ['a socket', 'another']],
  ] as const) {
    const writer = await run.beginSource({ name, title: name, kind: 'paths', origin: {} });
    for (const warning of warnings) writer.warn(warning);
    await writer.end();
  }
  await run.commit();
  await repository.close();
  const told = async (identities: ReturnType<typeof generateIdentity>[]) => {
    const opened = await openOrCreateRepository(directory, context, { identities });
    const [snapshot] = await opened.snapshots();
    await opened.close();
    return snapshot!.sources.map(({ warnings }) => warnings);
  };
  assert.equal(await told([identity]), [['a socket'], ['a socket', 'another']]);
  assert.equal(await told([]), [
    ['1 warning that cannot be read without --identity FILE'],
    ['2 warnings that cannot be read without --identity FILE'],
  ]);
});

test.run();

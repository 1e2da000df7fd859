import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readFile } from '../../../src/backup/browse/read-file.ts';
import type { Entry } from '../../../src/repository/entry.ts';
import { openOrCreateRepository } from '../../../src/repository/open.ts';
import { DamagedError } from '../../../src/support/errors.ts';
import { rejects } from '../../support/rejects.ts';
import { quietContext } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
const repository = await openOrCreateRepository(join(root, 'repository'), context);
const run = await repository.beginRun({ host: 'here', deployment: 'test', release: undefined }, context);
const writer = await run.beginSource({ name: 'files', title: 'Files', kind: 'volume', origin: {} });
const stored = async (content: string) => writer.storeStream(Readable.from([Buffer.from(content)]));
const file = { type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0n } as const;
const entries: Entry[] = [
  { ...file, path: '\\xff', ...(await stored('written so')) },
  { ...file, path: 'link', hardlink: '\xff', size: 8 },
  { ...file, path: 'round', hardlink: 'trip', size: 1 },
  { ...file, path: 'trip', hardlink: 'round', size: 1 },
  { ...file, path: '\xff', ...(await stored('one byte')) },
];
for (const entry of entries) await writer.add(entry);
await writer.end();
const snapshot = await run.commit();

test('another name of a file that is not text has its content, not that of one that is called as it is shown', async () => {
  assert.is(await text(readFile(repository, snapshot, 'files:link')), 'one byte');
});

test('two names that a hostile snapshot makes of each other are no file', async () => {
  const { message } = await rejects(() => text(readFile(repository, snapshot, 'files:trip')), DamagedError);
  assert.match(message, /files:trip .*another name of round/);
});

test.after(() => repository.close());

test.run();

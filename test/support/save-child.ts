/**
 * Saves a directory in a process of its own, that a test can kill:
 * `save-child.ts REPOSITORY DIRECTORY STATE [RECIPIENT…]`. Says `begun` before it writes, and the snapshot's id when it
 * is committed.
 */
import { writeSync } from 'node:fs';
import { decodeRecipient } from '../../src/repository/age/keys.ts';
import { openOrCreateRepository } from '../../src/repository/open.ts';
import { quietContext, saveDirectories } from './save-directory.ts';

const [directory, source, stateDir, ...recipients] = process.argv.slice(2) as [string, string, string];
const context = quietContext(stateDir);
writeSync(1, 'begun\n');
const repository = await openOrCreateRepository(directory, context);
const { id } = await saveDirectories(repository, { files: source }, context, recipients.map(decodeRecipient));
writeSync(1, `${id}\n`);
await repository.close();

/** Removes snapshots in a process of its own, that a test can kill or trace: `remove-child.ts REPOSITORY STATE ID…`. */
import { writeSync } from 'node:fs';
import { openRepository } from '../../src/repository/open.ts';
import { quietContext } from './save-directory.ts';

const [directory, stateDir, ...ids] = process.argv.slice(2) as [string, string, ...string[]];
const context = quietContext(stateDir);
const repository = await openRepository(directory, context);
writeSync(1, 'begun\n');
await repository.remove(ids, context);
writeSync(1, 'removed\n');
await repository.close();

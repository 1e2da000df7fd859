/**
 * Removes snapshots in a process of its own, that a test can kill or trace:
 * `remove-child.ts REPOSITORY STATE ID… [KEY…]`, with private keys so that what is sealed can be written anew.
 */
import { writeSync } from 'node:fs';
import { decodeIdentities } from '../../src/repository/age/keys.ts';
import { openRepository } from '../../src/repository/open.ts';
import { quietContext } from './save-directory.ts';

const [directory, stateDir, ...rest] = process.argv.slice(2) as [string, string, ...string[]];
const ids = rest.filter((word) => word.startsWith('sha256:'));
const keys = rest.slice(ids.length).join('\n');
const context = quietContext(stateDir);
const identities = keys === '' ? [] : decodeIdentities(keys, 'the arguments');
const repository = await openRepository(directory, context, { identities });
writeSync(1, 'begun\n');
await repository.remove(ids, context);
writeSync(1, 'removed\n');
await repository.close();

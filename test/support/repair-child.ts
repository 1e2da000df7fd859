/** Repairs a repository in a process of its own, that a test can trace: `repair-child.ts REPOSITORY STATE [KEYS]`. */
import { decodeIdentities } from '../../src/repository/age/keys.ts';
import { openRepository } from '../../src/repository/open.ts';
import { quietContext } from './save-directory.ts';

const [directory, stateDir, keys] = process.argv.slice(2) as [string, string, string?];
const context = quietContext(stateDir);
const repository = await openRepository(directory, context, {
  identities: keys === undefined ? [] : decodeIdentities(keys, 'keys'),
});
await repository.repair(context);
await repository.close();

/**
 * Takes in an exported snapshot in a process of its own, that a test can trace:
 * `import-child.ts REPOSITORY STATE ARCHIVE`.
 */
import { importArchive } from '../../src/repository/carry/import-archive.ts';
import { openOrCreateRepository } from '../../src/repository/open.ts';
import { quietContext } from './save-directory.ts';

const [directory, stateDir, archive] = process.argv.slice(2) as [string, string, string];
const context = quietContext(stateDir);
const repository = await openOrCreateRepository(directory, context);
await importArchive(repository, archive, { keys: {} }, context);
await repository.close();

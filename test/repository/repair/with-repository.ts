import type { Identity } from '../../../src/repository/age/keys.ts';
import { openRepository } from '../../../src/repository/open.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import type { Context } from '../../../src/support/context.ts';

/** Opens a repository for one use of it, with its own keys unless others are named. */
export function opener(context: Context) {
  return async function withRepository<T>(
    { keys, directory }: { keys: readonly Identity[]; directory: string },
    use: (repository: Repository) => Promise<T>,
    identities = keys,
  ): Promise<T> {
    const repository = await openRepository(directory, context, { identities });
    try {
      return await use(repository);
    } finally {
      await repository.close();
    }
  };
}

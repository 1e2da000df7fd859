import { openRepository } from '../../src/repository/open.ts';
import type { Repository } from '../../src/repository/repository.ts';
import type { Context } from '../../src/support/context.ts';

/** Does something with a repository that is there, and closes it, however that ends. */
export async function withRepository<T>(
  directory: string,
  context: Context,
  use: (repository: Repository) => Promise<T>,
): Promise<T> {
  const repository = await openRepository(directory, context);
  try {
    return await use(repository);
  } finally {
    await repository.close();
  }
}

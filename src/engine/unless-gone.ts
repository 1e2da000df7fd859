import { NotFoundError } from '../support/errors.ts';

/** For what is to end or to go anyway: no matter that others were quicker. */
export async function unlessGone(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
  }
}

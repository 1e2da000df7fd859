import { dirname, join } from 'node:path';
import * as z from 'zod';
import type { Context } from '../../support/context.ts';
import { makeDirectoryDurably, writeFileDurably } from '../../support/durable.ts';
import { codeOf, FailedError, isOfSystem, messageOf } from '../../support/errors.ts';
import { readSmallFile } from '../../support/small-file.ts';

const promiseShape = z.object({
  /** Where to. */
  to: z.string(),
  /** When the run began: a kill right after its snapshot was committed leaves no more than this. */
  began: z.string(),
  /** Id of its snapshot, once there is one. */
  snapshot: z.string().nullable(),
});

/** That the snapshot of a run will go to another place, and has not arrived, as far as this host knows. */
export type DeliveryPromise = z.infer<typeof promiseShape>;

/** Far more than promises need, in bytes. */
const sizeLimit = 16 << 20;

/** What a deployment's runs have promised, in its part of the state directory. */
export class DeliveryPromises {
  readonly #file: string;

  constructor(deployment: string, { stateDir }: Context) {
    this.#file = join(stateDir, 'backup', deployment, 'deliveries.json');
  }

  /** Of a file that somebody spoilt nothing is known. @throws what the system says when it only cannot be read now */
  async all(): Promise<DeliveryPromise[]> {
    try {
      return z.array(promiseShape).parse(JSON.parse(readSmallFile(this.#file, sizeLimit).toString()));
    } catch (error) {
      if (isOfSystem(error) && codeOf(error) !== 'ENOENT')
        throw new FailedError(`reading ${this.#file}: ${messageOf(error)}`, { cause: error });
      return [];
    }
  }

  /** Adds one, or says more of it. @throws {FailedError} */
  async make(promise: DeliveryPromise): Promise<void> {
    await this.#change((others) => [...others, promise], promise);
  }

  /** It was kept, or cannot be. @throws {FailedError} */
  async settle(promise: DeliveryPromise): Promise<void> {
    await this.#change((others) => others, promise);
  }

  /** Where the others cannot be read, nothing takes their place. */
  async #change(
    change: (others: DeliveryPromise[]) => DeliveryPromise[],
    { to, began }: DeliveryPromise,
  ): Promise<void> {
    const others = (await this.all()).filter((one) => one.to !== to || one.began !== began);
    try {
      await makeDirectoryDurably(dirname(this.#file));
      await writeFileDurably(this.#file, `${JSON.stringify(change(others), null, 2)}\n`);
    } catch (error) {
      throw new FailedError(`writing ${this.#file}: ${messageOf(error)}`, { cause: error });
    }
  }
}

import { dirname, join } from 'node:path';
import * as z from 'zod';
import type { Context } from '../../support/context.ts';
import { makeDirectoryDurably, writeFileDurably } from '../../support/durable.ts';
import { messageOf } from '../../support/errors.ts';
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

/** What a deployment's runs have promised, in its part of the state directory. What cannot be written is a warning. */
export class DeliveryPromises {
  readonly #file: string;
  readonly #context: Context;

  constructor(deployment: string, context: Context) {
    this.#file = join(context.stateDir, 'backup', deployment, 'deliveries.json');
    this.#context = context;
  }

  /** Of a file that somebody spoilt nothing is known. */
  async all(): Promise<DeliveryPromise[]> {
    try {
      return z.array(promiseShape).parse(JSON.parse(readSmallFile(this.#file, sizeLimit).toString()));
    } catch {
      return [];
    }
  }

  /** Adds one, or says more of it. */
  async make(promise: DeliveryPromise): Promise<void> {
    await this.#write([...(await this.#without(promise)), promise]);
  }

  /** It was kept, or cannot be. */
  async settle(promise: DeliveryPromise): Promise<void> {
    await this.#write(await this.#without(promise));
  }

  async #without({ to, began }: DeliveryPromise): Promise<DeliveryPromise[]> {
    return (await this.all()).filter((one) => one.to !== to || one.began !== began);
  }

  async #write(promises: readonly DeliveryPromise[]): Promise<void> {
    try {
      await makeDirectoryDurably(dirname(this.#file));
      await writeFileDurably(this.#file, `${JSON.stringify(promises, null, 2)}\n`);
    } catch (error) {
      this.#context.progress.warn(`writing ${this.#file}: ${messageOf(error)}`);
    }
  }
}

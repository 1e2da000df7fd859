import type { Repository } from '../../repository/repository.ts';
import { madeBy, type Origin } from '../../repository/snapshot/origin.ts';
import { shortId } from '../../repository/snapshot/short-id.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import type { Context } from '../../support/context.ts';
import { DamagedError, messageOf, SignatureError } from '../../support/errors.ts';
import { type DeliveryPromise, DeliveryPromises } from './promises.ts';

/** Takes the snapshots of runs to where they shall be besides. */
export interface Delivery {
  /** The place, always in the same words. */
  to: string;
  send(snapshot: Snapshot, repository: Repository): Promise<void>;
}

/** A run that is to deliver its snapshot. */
export interface DeliveryUnderWay {
  /** There is no snapshot to deliver. */
  withdraw(): Promise<void>;
  /**
   * Delivers the snapshot of this run, then the complete ones that earlier runs promised to the same place and could
   * not deliver, oldest first, as long as they are here. What has arrived once is never sent again: over there it may
   * have been removed on purpose.
   *
   * @throws whatever `send` throws for the snapshot of this run; of the others that is a warning, and the next run
   * tries again
   */
  deliver(snapshot: Snapshot, repository: Repository): Promise<void>;
}

/**
 * Promises the snapshot of the run that begins now, durably: whatever becomes of it, the next run to the same place
 * knows what it owes.
 */
export async function beginDelivery(
  origin: Origin,
  delivery: Delivery,
  context: Context,
): Promise<DeliveryUnderWay> {
  const promises = new DeliveryPromises(origin.deployment, context);
  const mine = { to: delivery.to, began: context.now().toISOString(), snapshot: null };
  let isKept = await makeOrWarn(promises, mine, context);
  const settle = () =>
    isKept ? settleOrWarn(promises, mine, context) : promises.settle(mine).catch(() => {});
  return {
    withdraw: settle,
    async deliver(snapshot, repository) {
      // Where this cannot be written down, the next run finds it by when this one began, if that was.
      await promises.make({ ...mine, snapshot: snapshot.id }).then(
        () => (isKept = true),
        () => {},
      );
      await delivery.send(snapshot, repository).catch((error: unknown) => {
        if (isKept) context.progress.warn(tellOfOwed(snapshot, delivery));
        throw error;
      });
      await settle();
      const others = async () =>
        madeBy(await repository.snapshots(), origin).filter(({ id }) => id !== snapshot.id);
      const owed = await findOwed(promises, delivery, others).catch((error: unknown) => {
        if (context.signal.aborted) throw error;
        context.progress.warn(`looking for what earlier runs owe to ${delivery.to}: ${messageOf(error)}`);
        return [];
      });
      await deliverOwed(owed, promises, delivery, repository, context);
    },
  };
}

/** @returns whether the next run will know of it */
async function makeOrWarn(
  promises: DeliveryPromises,
  promise: DeliveryPromise,
  { progress }: Context,
): Promise<boolean> {
  try {
    await promises.make(promise);
    return true;
  } catch (error) {
    const why = messageOf(error);
    progress.warn(
      `what is owed to ${promise.to} cannot be kept in mind: ${why}; what does not arrive now, no later backup sends`,
    );
    return false;
  }
}

async function settleOrWarn(
  promises: DeliveryPromises,
  promise: DeliveryPromise,
  { progress }: Context,
): Promise<void> {
  await promises.settle(promise).catch((error: unknown) => {
    const what = `what was owed to ${promise.to} cannot be crossed out`;
    progress.warn(`${what}: ${messageOf(error)}; the next backup may send it again`);
  });
}

function tellOfOwed({ id }: Snapshot, { to }: Delivery): string {
  return `snapshot ${shortId(id)} is here, and owed: the next backup to ${to} sends it`;
}

interface Owed {
  promise: DeliveryPromise;
  /** Unless it is gone, or never was. */
  snapshot: Snapshot | undefined;
}

/** @param others which this host's own are here, but for that of this run */
async function findOwed(
  promises: DeliveryPromises,
  { to }: Delivery,
  others: () => Promise<Snapshot[]>,
): Promise<Owed[]> {
  const made = (await promises.all()).filter((one) => one.to === to);
  if (made.length === 0) return [];
  const own = await others();
  return made.map((promise) => ({ promise, snapshot: snapshotOf(promise, own) }));
}

async function deliverOwed(
  owed: readonly Owed[],
  promises: DeliveryPromises,
  { send }: Delivery,
  repository: Repository,
  context: Context,
): Promise<void> {
  const { signal, progress } = context;
  for (const { promise, snapshot } of owed) {
    try {
      if (snapshot?.complete) await send(snapshot, repository);
      await settleOrWarn(promises, promise, context);
    } catch (error) {
      if (signal.aborted) throw error;
      progress.warn(`snapshot ${shortId(snapshot!.id)} of an earlier run: ${messageOf(error)}`);
      if (!isOfSnapshot(error)) return;
    }
  }
}

/** Of a run that was killed before it could write down which one: the first that was made after it began. */
function snapshotOf({ snapshot, began }: DeliveryPromise, own: readonly Snapshot[]): Snapshot | undefined {
  if (snapshot !== null) return own.find(({ id }) => id === snapshot);
  return own.find(({ started }) => started >= new Date(began));
}

/** Not of the way to that place: the others may arrive all the same. */
function isOfSnapshot(error: unknown): boolean {
  return error instanceof DamagedError || error instanceof SignatureError;
}

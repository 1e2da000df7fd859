/**
 * The customers, in a process of their own: what starts backups and waits for them must not get in their way. Says when
 * they are in; each message it gets is answered by what they met with since the one before, and they leave when it is
 * let go of.
 */
import { letCustomersIn, type Tally } from '../../demo/customers.ts';
import type { Latencies, Measured } from './latencies.ts';

const customers = await letCustomersIn(process.argv[2]!);
const [pages, rows] = [sinceLastAsked(customers.pages), sinceLastAsked(customers.rows)];
process.on('message', () => process.send!({ pages: pages(), rows: rows() } satisfies Measured));
process.on('disconnect', () => customers.leave());
process.send!('in');

function sinceLastAsked(tally: Tally): () => Latencies {
  let failedBefore = 0;
  return () => {
    const failures = tally.failures - failedBefore;
    failedBefore = tally.failures;
    return { took: tally.took.splice(0), failures };
  };
}

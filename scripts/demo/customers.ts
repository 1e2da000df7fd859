import { appendFileSync } from 'node:fs';
import { get } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { connectPostgres } from './postgres-client.ts';

const interval = 10;

export interface Tally {
  requests: number;
  failures: number;
  /** Milliseconds. */
  slowest: number;
  /** Of every request, in milliseconds. */
  took: number[];
  firstFailure: string | undefined;
}

/** Clients that never rest: each asks again every 10 ms, over a new connection to nginx and one to PostgreSQL. */
export interface Customers {
  pages: Tally;
  /** `requests - failures` rows were acknowledged. */
  rows: Tally;
  leave(): Promise<void>;
}

export async function letCustomersIn(log: string): Promise<Customers> {
  const leaving = new AbortController();
  const database = await connectPostgres(5432, 'postgres', 'shop');
  const [pages, rows] = [newTally(), newTally()];
  const polling = repeat(pages, leaving.signal, fetchPage);
  const writing = repeat(rows, leaving.signal, async (count) => {
    await database.query(`insert into heartbeat (id, said) values (${count}, 'beat ${count}')`);
    appendFileSync(log, `${new Date().toISOString()} beat ${count}\n`);
  });
  return {
    pages,
    rows,
    async leave() {
      leaving.abort();
      await Promise.all([polling, writing]);
      database.close();
    },
  };
}

async function repeat(
  tally: Tally,
  leaving: AbortSignal,
  ask: (count: number) => Promise<void>,
): Promise<void> {
  while (!leaving.aborted) {
    const start = performance.now();
    tally.requests += 1;
    await withinTime(ask(tally.requests)).catch((error: Error) => {
      tally.failures += 1;
      tally.firstFailure ??= error.message;
    });
    const took = performance.now() - start;
    tally.slowest = Math.max(tally.slowest, took);
    tally.took.push(took);
    await setTimeout(Math.max(0, interval - took));
  }
}

/** An answer that takes five seconds is none. */
async function withinTime(answer: Promise<void>): Promise<void> {
  const done = new AbortController();
  const tooLate = setTimeout(5000, undefined, { signal: done.signal }).then(() => {
    throw new Error('no answer within 5 s');
  });
  tooLate.catch(() => {});
  await Promise.race([answer, tooLate]).finally(() => done.abort());
}

function fetchPage(): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get('http://127.0.0.1:8080/pool/', { agent: false }, (response) => {
      response.resume();
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    request.on('error', reject);
  });
}

function newTally(): Tally {
  return { requests: 0, failures: 0, slowest: 0, took: [], firstFailure: undefined };
}

import { parentPort } from 'node:worker_threads';
import { libc } from '../../support/posix/libc.ts';
import { IngestWorker } from './ingest-worker.ts';
import type { FromWorker, ToWorker } from './messages.ts';

/** The thread of an `IngestWorker`: loaded first, told later what to store for. */
const port = parentPort!;
let worker: IngestWorker | undefined;

port.on('message', (message: ToWorker) => {
  if (message.kind === 'leave') process.exit();
  else if (message.kind === 'begin') worker = new IngestWorker(message.setup, send);
  else worker!.handle(message);
});
libc(); // The first file would load it, and wait.

function send(message: FromWorker): void {
  port.postMessage(message);
}

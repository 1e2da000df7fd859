/**
 * Preloaded into a command: kills it at its Nth call that changes files or talks to the engine, from the first file on
 * that it replaces durably (a journal). `KILL_AT` is N; without one the number of all calls is written to the file
 * `COUNT_CALLS` at the end.
 */
import fs from 'node:fs';
import promises from 'node:fs/promises';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';

const { KILL_AT, COUNT_CALLS } = process.env;
let calls = 0;

function count(): void {
  if (++calls === Number(KILL_AT)) process.kill(process.pid, 'SIGKILL');
}

function watch(room: object, name: string, begins = false): void {
  const original = Reflect.get(room, name) as (...args: unknown[]) => unknown;
  Reflect.set(room, name, (...args: unknown[]) => {
    if (begins || calls > 0) count();
    return original.apply(room, args);
  });
}

for (const name of ['mkdirSync', 'fsyncSync', 'rmdirSync', 'symlinkSync', 'chmodSync']) watch(fs, name);
for (const name of ['open', 'unlink']) watch(promises, name);
watch(promises, 'rename', true);
watch(http, 'request');
syncBuiltinESMExports();
if (COUNT_CALLS) process.on('exit', () => fs.writeFileSync(COUNT_CALLS, String(calls)));

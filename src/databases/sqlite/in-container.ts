import { randomBytes } from 'node:crypto';
import type { Context } from '../../support/context.ts';
import { DamagedError } from '../../support/errors.ts';
import { outputOf, run } from '../container/program.ts';
import type { DatabaseServer } from '../databases.ts';
import { companionSuffixes } from './file-name.ts';

/**
 * A database file that this host cannot see, copied by the `sqlite3` program of its container to the container's
 * `/tmp`, checked there, and read out. Throws after the last byte unless all of it went well.
 */
export async function* copyInContainer(
  server: DatabaseServer,
  path: string,
  context: Context,
  warn: (message: string) => void,
): AsyncGenerator<Uint8Array> {
  const copy = `/tmp/dockerctl-${randomBytes(8).toString('hex')}.db`;
  const purpose = `copying ${path} in ${server.container}`;
  const program = (command: readonly string[], signal = context.signal) => {
    return { command, environment: { LC_ALL: 'C' }, purpose, signal };
  };
  const ask = (...command: string[]) => run(server, program(command));
  try {
    const { stderr } = await ask(...sqlite, '-cmd', '.timeout 60000', path, `.backup ${copy}`);
    if (stderr !== '') warn(stderr);
    const { stdout } = await ask('sqlite3', '-batch', '-readonly', copy, 'PRAGMA integrity_check(20)');
    if (stdout.trim() !== 'ok') {
      throw new DamagedError(`${purpose}: the copy is damaged: ${stdout.trim().split('\n')[0]}`);
    }
    yield* whole(outputOf(server, program(['cat', copy]), warn), purpose);
  } finally {
    const files = [copy, ...companionSuffixes.map((suffix) => copy + suffix)];
    const always = program(['rm', '-f', ...files], AbortSignal.timeout(30_000));
    await run(server, always).catch(() => {});
  }
}

const sqlite = ['sqlite3', '-batch', '-bail', '-readonly'];

/** @throws {DamagedError} unless it begins like a database and has as many pages as it says */
async function* whole(content: AsyncIterable<Uint8Array>, purpose: string): AsyncGenerator<Uint8Array> {
  let head = Buffer.alloc(0);
  let length = 0;
  for await (const piece of content) {
    if (head.length < 100) head = Buffer.concat([head, piece.subarray(0, 100)]);
    length += piece.length;
    yield piece;
  }
  if (!head.toString('latin1').startsWith('SQLite format 3\0')) {
    throw new DamagedError(`${purpose}: the copy does not begin like one`);
  }
  const pageSize = head.readUInt16BE(16) === 1 ? 65_536 : head.readUInt16BE(16);
  if (length === pageSize * head.readUInt32BE(28)) return;
  throw new DamagedError(`${purpose}: the copy ends before its end`);
}

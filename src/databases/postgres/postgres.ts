import type { RenamedDatabase } from '../databases.ts';
import { describe } from './describe.ts';
import { dump } from './dump.ts';
import { load } from './load.ts';
import { ready } from './ready.ts';
import { discard, dropKept, swap, undo } from './swap.ts';

/** PostgreSQL, from 9.3 on. */
export const postgres: RenamedDatabase = {
  restoredBy: 'renaming',
  dump,
  ready,
  describe,
  load,
  swap,
  undo,
  discard,
  dropKept,
};

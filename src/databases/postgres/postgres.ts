import type { Database } from '../databases.ts';
import { dump } from './dump.ts';
import { load } from './load.ts';
import { dropKept, swap, undo } from './swap.ts';

/** PostgreSQL, from 9.3 on. */
export const postgres: Database = { dump, load, swap, undo, dropKept };

import type { RebuiltDatabase } from '../databases.ts';
import { describe, dump } from './dump.ts';
import { ready } from './ready.ts';
import { rebuild } from './rebuild.ts';

/** MariaDB from 10.2 on, and MySQL from 5.7 on. */
export const mysql: RebuiltDatabase = { restoredBy: 'rebuilding', dump, ready, describe, rebuild };

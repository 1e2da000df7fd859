import type { RebuiltDatabase } from '../databases.ts';
import { describe, dump } from './dump.ts';
import { ready } from './ready.ts';
import { rebuild } from './rebuild.ts';

/** MongoDB with its database tools 100.3 or newer, whose `--config` takes the password. */
export const mongodb: RebuiltDatabase = { restoredBy: 'rebuilding', dump, ready, describe, rebuild };

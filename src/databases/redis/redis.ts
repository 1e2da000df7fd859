import type { RebuiltDatabase } from '../databases.ts';
import { describe, dump } from './dump.ts';
import { ready } from './ready.ts';
import { rebuild } from './rebuild.ts';

/** Redis from 5 on, and Valkey. */
export const redis: RebuiltDatabase = { restoredBy: 'rebuilding', dump, ready, describe, rebuild };

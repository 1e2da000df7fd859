import type { Command } from 'commander';
import type { Wrap } from '../../program.ts';
import { addCompletion } from './completion.ts';
import { addConfig } from './config.ts';
import { addSchedule } from './schedule.ts';

/** What is set up on this host, or printed for it. */
export function addHost(program: Command, wrap: Wrap): void {
  addConfig(program, wrap);
  addSchedule(program, wrap);
  addCompletion(program, wrap);
}

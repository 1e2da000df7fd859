import type { Command } from 'commander';
import type { Wrap } from '../../program.ts';
import { addAttach } from './attach.ts';
import { addBuild } from './build.ts';
import { addCheck } from './check.ts';
import { addCopy } from './copy.ts';
import { addCreate } from './create.ts';
import { addDestroy } from './destroy.ts';
import { addInspect } from './inspect.ts';
import { addList } from './list.ts';
import { addLogs } from './logs.ts';
import { addRestart } from './restart.ts';
import { addRevert } from './revert.ts';
import { addRun } from './run.ts';
import { addShell } from './shell.ts';
import { addStart } from './start.ts';
import { addStop } from './stop.ts';

/** What a service's container goes through, and what can be asked of it. */
export function addContainers(program: Command, wrap: Wrap): void {
  addBuild(program, wrap);
  addCreate(program, wrap);
  addRun(program, wrap);
  addStart(program, wrap);
  addStop(program, wrap);
  addRestart(program, wrap);
  addDestroy(program, wrap);
  addRevert(program, wrap);
  addList(program, wrap);
  addCheck(program, wrap);
  addShell(program, wrap);
  addLogs(program, wrap);
  addAttach(program, wrap);
  addInspect(program, wrap);
  addCopy(program, wrap);
}

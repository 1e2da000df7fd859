import { type Progress, silent } from '../../support/progress.ts';
import type { GlobalOptions } from '../context.ts';
import type { Io } from '../io.ts';
import { progressBars } from './progress-bars.ts';
import { progressLines } from './progress-lines.ts';
import { printable } from './table.ts';

export interface RenderedProgress extends Progress {
  /** Takes bars off the screen before something else is printed. */
  clear(): void;
}

/** Bars on a terminal, JSON lines with `--json`, warnings alone everywhere else. */
export function createProgress(io: Io, global: GlobalOptions): RenderedProgress {
  if (global.json) return progressLines(io.stderr, { tasks: global.progress !== false && !global.quiet });
  if (io.stderr.isTTY && !global.quiet) return progressBars(io.stderr, { bars: global.progress !== false });
  return warningsOnly(io.stderr);
}

function warningsOnly(stderr: NodeJS.WritableStream): RenderedProgress {
  return {
    ...silent,
    warn: (message) => void stderr.write(`dockerctl: warning: ${printable(message)}\n`),
    clear() {},
  };
}

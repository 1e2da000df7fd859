/**
 * How long work tells what it is doing. The core calls these; the command line draws bars, prints JSON lines,
 * or stays silent.
 */
export interface Progress {
  /** Begins a task the operator can watch. `total` is in `unit`s, unknown when left out. */
  begin(title: string, options?: { unit?: 'bytes' | 'items'; total?: number }): ProgressTask;
  /** A step was done that is worth a line on a terminal. */
  note(message: string): void;
  /** Something the operator should know although the work goes on. */
  warn(message: string): void;
}

/** Work under way, as its operator sees it. */
export interface ProgressTask {
  /** So many more units are done. Called often: must be cheap. */
  advance(amount: number): void;
  setTotal(total: number): void;
  /** Ends the task; safe to call more than once. */
  end(): void;
}

const silentTask: ProgressTask = { advance() {}, setTotal() {}, end() {} };

/** Shows nothing. */
export const silent: Progress = { begin: () => silentTask, note() {}, warn() {} };

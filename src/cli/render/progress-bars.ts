import type { MultiBar, SingleBar } from 'cli-progress';
import { formatBytes, formatDuration } from '../../support/quantities.ts';
import type { RenderedProgress } from './progress.ts';
import { printable } from './table.ts';

/** A task shorter than this never shows a bar. */
const graceMs = 300;

/** Progress for people: a bar per task with done, rate and time left; notes scroll by above it. */
export function progressBars(stderr: NodeJS.WritableStream, { bars }: { bars: boolean }): RenderedProgress {
  const screen = bars ? new Screen(stderr) : undefined;
  const print = (text: string) => {
    screen?.clear();
    stderr.write(`${printable(text)}\n`);
  };
  return {
    begin(title, { unit = 'items', total } = {}) {
      const task = { title: printable(title), unit, total, done: 0, started: performance.now() };
      const timer = setTimeout(() => screen?.add(task), graceMs);
      timer.unref();
      return {
        advance(amount) {
          task.done += amount;
        },
        setTotal(value) {
          task.total = value;
        },
        end() {
          clearTimeout(timer);
          screen?.remove(task);
        },
      };
    },
    note: print,
    warn: (message) => print(`warning: ${message}`),
    clear: () => screen?.clear(),
  };
}

interface Task {
  title: string;
  unit: 'bytes' | 'items';
  total: number | undefined;
  done: number;
  started: number;
}

/** The bars on screen, redrawn by one timer. cli-progress is loaded when the first bar appears. */
class Screen {
  readonly #stderr: NodeJS.WritableStream;
  readonly #tasks = new Map<Task, SingleBar | undefined>();
  #bars: MultiBar | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(stderr: NodeJS.WritableStream) {
    this.#stderr = stderr;
  }

  add(task: Task): void {
    this.#tasks.set(task, undefined);
    this.#timer ??= this.#redrawing();
  }

  remove(task: Task): void {
    const bar = this.#tasks.get(task);
    this.#tasks.delete(task);
    if (this.#tasks.size === 0) this.#stop();
    else if (bar !== undefined) this.#bars?.remove(bar);
  }

  /** The bars come back with the next tick. */
  clear(): void {
    this.#stop();
    if (this.#tasks.size > 0) this.#timer = this.#redrawing();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#bars?.stop();
    this.#bars = undefined;
    for (const task of this.#tasks.keys()) this.#tasks.set(task, undefined);
  }

  #redrawing(): NodeJS.Timeout {
    return setInterval(() => void this.#draw(), 100).unref();
  }

  async #draw(): Promise<void> {
    const { MultiBar } = (await import('cli-progress')).default;
    if (this.#tasks.size === 0) return;
    this.#bars ??= new MultiBar({
      stream: this.#stderr,
      clearOnComplete: true,
      hideCursor: true,
      format: '{line}',
    });
    for (const [task, known] of this.#tasks) {
      const bar = known ?? this.#bars.create(1, 0, { line: '' });
      this.#tasks.set(task, bar);
      bar.update(0, { line: renderBar(task) });
    }
  }
}

/** `Loading upgrade.tar.xz  [██████    ]  61% 150/246 MiB  52 MiB/s  2 s left` */
function renderBar({ title, unit, total, done, started }: Task, now = performance.now()): string {
  const seconds = Math.max((now - started) / 1000, 0.001);
  const amount = (value: number) => (unit === 'bytes' ? formatBytes(value) : String(value));
  const rate = `${amount(Math.round(done / seconds))}/s`;
  if (total === undefined || total <= 0) return `${title}  ${amount(done)}  ${rate}`;
  const fraction = Math.min(done / total, 1);
  const filled = Math.round(fraction * 20);
  const bar = `[${'█'.repeat(filled)}${' '.repeat(20 - filled)}]`;
  const percent = `${String(Math.floor(fraction * 100)).padStart(3)}%`;
  const left = done > 0 ? `${formatDuration((seconds * Math.max(total - done, 0)) / done)} left` : '';
  return `${title}  ${bar} ${percent}  ${amount(done)} of ${amount(total)}  ${rate}  ${left}`.trimEnd();
}

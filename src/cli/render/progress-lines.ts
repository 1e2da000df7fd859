import type { RenderedProgress } from './progress.ts';

/** Between two lines of one task. */
const intervalMs = 500;

/**
 * Progress for machines, one JSON object a line on stderr:
 * `{"progress":{"task","unit","done","total"}}`, `{"note":"…"}`, `{"warning":"…"}`.
 */
export function progressLines(
  stderr: NodeJS.WritableStream,
  { tasks }: { tasks: boolean },
): RenderedProgress {
  const write = (line: unknown) => void stderr.write(`${JSON.stringify(line)}\n`);
  return {
    begin(title, { unit = 'items', total } = {}) {
      let done = 0;
      let shown = 0;
      let known = total;
      const show = () => {
        shown = performance.now();
        if (tasks) write({ progress: { task: title, unit, done, total: known } });
      };
      show();
      let ended = false;
      return {
        advance(amount) {
          done += amount;
          if (performance.now() - shown >= intervalMs) show();
        },
        setTotal(value) {
          known = value;
        },
        end() {
          if (!ended) show();
          ended = true;
        },
      };
    },
    note: (message) => write({ note: message }),
    warn: (message) => write({ warning: message }),
    clear() {},
  };
}

/** How long requests took, in milliseconds, and how many had no answer. */
export interface Latencies {
  took: number[];
  failures: number;
}

export interface Measured {
  pages: Latencies;
  rows: Latencies;
}

/** Of several times together. */
export function together(all: readonly Measured[]): Measured {
  const join = (parts: Latencies[]): Latencies => ({
    took: parts.flatMap(({ took }) => took),
    failures: parts.reduce((sum, { failures }) => sum + failures, 0),
  });
  return { pages: join(all.map(({ pages }) => pages)), rows: join(all.map(({ rows }) => rows)) };
}

/** One line for each kind of request: idle and busy, and the ratio of their 99th percentiles. */
export function compare(idle: Measured, busy: Measured): string[] {
  return (['pages', 'rows'] as const).map((kind) => {
    const [calm, loaded] = [idle[kind], busy[kind]];
    const ratio = percentile(loaded.took, 0.99) / percentile(calm.took, 0.99);
    return `${kind.padEnd(6)} idle ${describe(calm)}   backup ${describe(loaded)}   ratio of p99 ${ratio.toFixed(2)}`;
  });
}

function describe({ took, failures }: Latencies): string {
  const [half, high] = [0.5, 0.99].map((part) => percentile(took, part).toFixed(1));
  const slowest = Math.max(...took).toFixed(0);
  return `${took.length} requests, ${failures} failed, p50 ${half} p99 ${high} max ${slowest} ms`;
}

function percentile(numbers: readonly number[], part: number): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) * part)] ?? Number.NaN;
}

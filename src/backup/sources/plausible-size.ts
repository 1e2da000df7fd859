import type { SourceWriter } from '../../repository/run/run.ts';

/** A program that suddenly has much less to say than last time has often failed without noticing. */
export function warnIfMuchSmaller(what: string, size: number, { predecessor, warn }: SourceWriter): void {
  const before = predecessor?.bytes ?? 0;
  if (size < before / 10) warn(`${what}: ${size} bytes, last time ${before}`);
}

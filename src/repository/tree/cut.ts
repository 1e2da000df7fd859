/** So many bytes of lines end a segment in any case. */
export const segmentLimit = 4 * 1024 * 1024;

/**
 * Whether a segment ends after the line of `path`. It depends on the path alone, so that a change of one file moves no
 * cut, and an insertion only those beside it.
 * @param bits one path in 2^bits cuts; from `cutBits`
 */
export function endsSegment(path: string, bits: number): boolean {
  let hash = 0x811c9dc5;
  for (let i = 0; i < path.length; i++) hash = Math.imul(hash ^ path.charCodeAt(i), 0x01000193);
  return ((hash >>> 8) & ((1 << bits) - 1)) === 0;
}

/** Longer segments for very large sources, because a manifest names each of them and must stay under 4 MiB. */
export function cutBits(files: number): number {
  return 10 + Math.max(0, Math.ceil(Math.log2(files / 4e6)));
}

/**
 * Gives the memory of bytes back that nobody needs any more. The collector would get to it, but sees only a small object and
 * takes its time, while blocks of megabytes pile up. Bytes so few that they may lie in the pool of small buffers are left alone.
 */
export function freeBytes(bytes: Uint8Array): void {
  if (bytes.buffer.byteLength > 2 * Buffer.poolSize) (bytes.buffer as ArrayBuffer).transfer(0);
}

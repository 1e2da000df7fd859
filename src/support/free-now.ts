/**
 * Gives a buffer's memory back now: the garbage collector would let a hundred megabytes pile up first. The buffer, and
 * whatever shares its memory, is empty afterwards; a piece of node's common pool is left alone.
 */
export function freeNow({ buffer, length }: Uint8Array): void {
  const mayBePooled = length < buffer.byteLength && buffer.byteLength < 128 * 1024;
  if (!mayBePooled && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

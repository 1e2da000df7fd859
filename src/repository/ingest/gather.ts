const size = 128 * 1024;

/**
 * A stream's bytes in pieces of 128 KiB, the last one shorter, each alone in memory of its own. A view that is sent to
 * another thread is copied with all the memory behind it, and a message takes time however little is in it: programs
 * print 4 KiB at a time.
 */
export async function* gathered(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let piece = emptyPiece();
  let filled = 0;
  for await (const bytes of content) {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + size - filled);
      piece.set(part, filled);
      at += part.length;
      filled += part.length;
      if (filled < size) continue;
      yield piece;
      piece = emptyPiece();
      filled = 0;
    }
  }
  if (filled > 0) yield piece.slice(0, filled);
}

function emptyPiece(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(size);
}

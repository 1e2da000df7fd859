import { createHash } from 'node:crypto';
import { constants, open } from 'node:fs/promises';
import type { Digest } from '../../oci/digest.ts';
import { freeNow } from '../../support/free-now.ts';

const piece = 1024 * 1024;

/** The digest that a file's bytes really have, and how many they are. */
export async function hashBlob(
  path: string,
  onBytes: (bytes: number) => void,
): Promise<{ got: Digest; size: number }> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const sha256 = createHash('sha256');
  const buffers: Buffer[] = [];
  let size = 0;
  try {
    // Most blobs are small, and a megabyte for each would keep the garbage collector busy.
    const length = Math.min(piece, (await file.stat()).size + 1);
    buffers.push(Buffer.allocUnsafe(length), Buffer.allocUnsafe(length));
    let reading = file.read(buffers[0]!, 0, length);
    for (let turn = 1; ; turn++) {
      const { bytesRead, buffer } = await reading;
      if (bytesRead === 0) break;
      reading = file.read(buffers[turn % 2]!, 0, length);
      sha256.update(buffer.subarray(0, bytesRead));
      size += bytesRead;
      onBytes(bytesRead);
    }
  } finally {
    await file.close();
    for (const buffer of buffers) freeNow(buffer);
  }
  return { got: `sha256:${sha256.digest('hex')}`, size };
}

import type { BlobFile } from '../../../src/oci/blob-file.ts';

/** `bytes` as a file that can be read anywhere; `onRead` is told how many bytes each read got. */
export function bytesAsFile(bytes: Uint8Array, onRead: (length: number) => void = () => {}): BlobFile {
  return {
    size: bytes.length,
    async read(offset, length) {
      const part = Uint8Array.from(bytes.subarray(offset, offset + length));
      onRead(part.length);
      return part;
    },
    close: async () => {},
  };
}

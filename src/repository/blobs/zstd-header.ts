/** Where a zstd frame's header says what. Source: RFC 8878, section 3.1.1.1. */
export interface ZstdHeader {
  /** Bytes of magic number and header, up to the first block. */
  length: number;
  /** Offset and bytes of the content's size; 0 bytes when the frame does not tell it. */
  contentSize: { at: number; bytes: number };
  /** Bytes of the checksum behind the last block. */
  checksum: number;
}

export const zstdMagic = 0xfd2fb528;

/** @param descriptor the byte behind the magic number */
export function zstdHeader(descriptor: number): ZstdHeader {
  const isSingleSegment = (descriptor & 0b10_0000) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 0b11]!;
  const bytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const at = 5 + (isSingleSegment ? 0 : 1) + dictionary;
  return {
    length: at + bytes,
    contentSize: { at, bytes },
    checksum: (descriptor & 0b100) === 0 ? 0 : 4,
  };
}

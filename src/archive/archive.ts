import type { ProgressTask } from '../support/progress.ts';
import { type ByteSource, type SeekableBytes, seekableSource, streamSource } from './byte-source.ts';
import { type Codec, detectCodec, magicLength } from './codec.ts';
import { decompress } from './decompress.ts';
import { type ArchiveInput, counted, type OpenInput, openInput } from './input.ts';
import { readTar, type TarEntry } from './tar-reader.ts';

/** An image archive, opened: a tar, whatever it is compressed with and however it arrives. */
export interface Archive {
  name: string;
  codec: Codec;
  /** Bytes on the medium, compressed as they are; `undefined` when it does not say. */
  size: number | undefined;
  /** The tar's bytes at any offset, when the medium and the codec allow it. */
  seekable: SeekableBytes | undefined;
  /** The entries in their order. Once only, unless it is seekable. */
  entries(): AsyncGenerator<TarEntry>;
  close(): Promise<void>;
}

/**
 * Opens an archive and looks at its first bytes.
 * @param task is told of the bytes read from the medium
 * @throws {UsageError} for formats that are not read
 * @throws {DamagedError} when it is empty or no archive
 * @throws {NotFoundError} when there is no such file
 */
export async function openArchive(input: ArchiveInput, task: ProgressTask): Promise<Archive> {
  const opened = await openInput(input);
  try {
    return await detected(opened, task);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function detected(input: OpenInput, task: ProgressTask): Promise<Archive> {
  const raw = streamSource(counted(input.stream(), task), input.name);
  const codec = detectCodec(await raw.peek(magicLength), input.name);
  const seekable = codec === 'tar' ? input.seekable : undefined;
  let current: ByteSource = raw;
  return {
    name: input.name,
    codec,
    size: input.size,
    seekable,
    entries() {
      if (seekable !== undefined) current = seekableSource(seekable, input.name);
      else if (codec !== 'tar') current = streamSource(decompress(codec, rest(raw), input.name), input.name);
      return readTar(current, input.name);
    },
    async close() {
      await current.close();
      await raw.close();
      await input.close();
    },
  };
}

/** Everything that `source` still has. */
async function* rest(source: ByteSource): AsyncGenerator<Uint8Array> {
  for (;;) {
    const piece = await source.take(1 << 18);
    if (piece.length === 0) return;
    yield piece;
  }
}

import { counted } from '../support/counted.ts';
import { InterruptedError } from '../support/errors.ts';
import { type ByteSource, type SeekableBytes, seekableSource, streamSource } from './byte-source.ts';
import { type Codec, detectCodec, magicLength } from './codec.ts';
import { decompress } from './decompress.ts';
import { type ArchiveInput, type OpenInput, openInput } from './input.ts';
import { readTar, type TarEntry } from './tar/reader.ts';
import { openSeekableXz, type Range } from './xz/seekable.ts';

/** An image archive, opened: a tar, whatever it is compressed with and however it arrives. */
export interface Archive {
  name: string;
  codec: Codec;
  /** Bytes on the medium, compressed as they are; `undefined` when it does not say. */
  size: number | undefined;
  /** The tar's bytes at any offset, when the medium and the codec allow it. */
  seekable: SeekableTar | undefined;
  /** Of a file: changes whenever the file does. */
  identity: string | undefined;
  /** The entries in their order. Once only, unless it is seekable. */
  entries(): AsyncGenerator<TarEntry>;
  close(): Promise<void>;
}

export interface SeekableTar extends SeekableBytes {
  /** Tells which ranges will be read, in rising order, so that they can be decoded ahead. */
  expect(ranges: readonly Range[]): void;
  close(): Promise<void>;
}

export interface OpenArchiveOptions {
  onRead?: (bytes: number) => void;
  signal?: AbortSignal;
  now?: () => Date;
  inOrder?: boolean;
}

/**
 * Opens an archive and looks at its first bytes.
 * @param options.onRead is told of the bytes read from the medium by an archive that is not seekable
 * @param options.signal ends reading
 * @param options.now tells how old a file is: what was written just now has no identity yet, nor has any without a
 * clock
 * @param options.inOrder read it from beginning to end even where it could be read at any offset: of volumes, every
 * byte is then verified
 * @throws {UsageError} for formats that are not read
 * @throws {DamagedError} when it is empty or no archive
 * @throws {NotFoundError} when there is no such file
 * @throws {InterruptedError} when `signal` aborts; so do the entries
 */
export async function openArchive(
  input: ArchiveInput,
  { onRead = () => {}, signal, now, inOrder = false }: OpenArchiveOptions = {},
): Promise<Archive> {
  const opened = await openInput(input, { signal, now });
  const onPiece = (bytes: number) => {
    if (signal?.aborted) throw new InterruptedError(`reading ${opened.name} was interrupted`);
    onRead(bytes);
  };
  try {
    return (inOrder ? undefined : await openSeekable(opened)) ?? (await openOneWay(opened, onPiece));
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function openSeekable(input: OpenInput): Promise<Archive | undefined> {
  if (input.seekable === undefined) return undefined;
  const file = input.seekable;
  const codec = detectCodec(await seekableSource(file, input.name).peek(magicLength), input.name);
  const seekable = await seekableTar(codec, file, input.name);
  if (seekable === undefined) return undefined;
  return {
    name: input.name,
    codec,
    size: input.size,
    identity: input.identity,
    seekable,
    entries: () => readTar(seekableSource(seekable, input.name), input.name),
    async close() {
      await seekable.close();
      await input.close();
    },
  };
}

async function seekableTar(
  codec: Codec,
  file: SeekableBytes,
  name: string,
): Promise<SeekableTar | undefined> {
  if (codec === 'tar') return { ...file, expect() {}, async close() {} };
  if (codec === 'xz') return await openSeekableXz(file, name);
  return undefined;
}

async function openOneWay(input: OpenInput, onRead: (bytes: number) => void): Promise<Archive> {
  const raw = streamSource(counted(input.stream(), onRead), input.name);
  const codec = detectCodec(await raw.peek(magicLength), input.name);
  const tar = codec === 'tar' ? raw : streamSource(decompress(codec, rest(raw), input.name), input.name);
  return {
    name: input.name,
    codec,
    size: input.size,
    identity: undefined,
    seekable: undefined,
    entries: () => readTar(tar, input.name),
    async close() {
      // The input first: whoever waits for its bytes would wait for ever.
      await input.close();
      await Promise.allSettled([tar.close(), raw.close()]);
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

import { DamagedError } from '../../support/errors.ts';
import type { ByteSource } from '../byte-source.ts';
import { entryPath } from './entry-path.ts';
import { blockSize, decodePax, decodeTarHeader, paddingAfter, type TarHeader } from './header.ts';

export interface TarEntry {
  /** Relative to the archive's root, without `.` and `..`. */
  path: string;
  kind: 'file' | 'directory' | 'symlink' | 'hardlink';
  /** Where a link points, as it stands there. */
  link: string | undefined;
  /** Bytes of content. */
  size: number;
  /** Of the content's first byte in the (decompressed) tar. */
  offset: number;
  /** The first bytes of its content, without reading them: 64, or as many as there are. */
  start(): Promise<Uint8Array>;
  /** Read it at most once, before the next entry; what is left unread is skipped. */
  content(): AsyncIterable<Uint8Array>;
}

/** So many entries at most; real archives have hundreds. */
const maxEntries = 250_000;

/** A long name or a PAX header may be so long, in bytes. */
const maxExtension = 1 << 20;

/** Zeros and leftovers after the end mark, in bytes; more is not padding but an attack. */
const maxTrailer = 16 << 20;

/**
 * The entries of a tar in their order. What has no place in an image archive (devices, FIFOs, sparse files, paths
 * that leave the archive) is refused.
 *
 * A tar that ends without its end mark is read as if it had one: whether it was cut is known only by what its manifest
 * names, which the caller checks.
 * @throws {DamagedError}
 */
export async function* readTar(source: ByteSource, what: string): AsyncGenerator<TarEntry> {
  const globals = new Map<string, string>();
  for (let count = 0; ; count++) {
    if (count > maxEntries) throw new DamagedError(`${what}: has more than ${maxEntries} entries`);
    const header = await nextHeader(source, what, globals);
    if (header === undefined) break;
    const entry = toEntry(header, source, `${what}: entry at byte ${source.position - blockSize}`);
    yield entry;
    await source.skip(entry.offset + entry.size - source.position);
    await source.take(paddingAfter(entry.size));
  }
  await passTrailer(source, what);
}

/** The next header of a real entry, with the extensions that stand before it applied. */
async function nextHeader(
  source: ByteSource,
  what: string,
  globals: Map<string, string>,
): Promise<TarHeader | undefined> {
  const extensions = new Map<string, string>();
  for (;;) {
    const where = `${what}: at byte ${source.position}`;
    const block = await source.take(blockSize);
    if (block.length === 0) return undefined;
    if (block.length < blockSize) throw new DamagedError(`${where}: ends within a tar header`);
    const header = decodeTarHeader(block, where);
    if (header === undefined) return undefined;
    if (!'xgLK'.includes(header.type)) return extended(header, globals, extensions, where);
    const content = await extensionContent(source, header, where);
    applyExtension(header.type, content, header.type === 'g' ? globals : extensions, where);
  }
}

async function extensionContent(source: ByteSource, header: TarHeader, where: string): Promise<Uint8Array> {
  if (header.size > maxExtension)
    throw new DamagedError(`${where}: an extended header of ${header.size} bytes`);
  const content = await source.take(header.size);
  if (content.length < header.size) throw new DamagedError(`${where}: ends within an extended header`);
  await source.skip(paddingAfter(header.size));
  return content;
}

function applyExtension(type: string, content: Uint8Array, into: Map<string, string>, where: string): void {
  if (type === 'L' || type === 'K') {
    const name = Buffer.from(content).toString('utf8').replace(/\0.*$/s, '');
    into.set(type === 'L' ? 'path' : 'linkpath', name);
    return;
  }
  for (const [key, value] of decodePax(content, where)) {
    if (key.startsWith('GNU.sparse'))
      throw new DamagedError(`${where}: a sparse file has no place in an image archive`);
    if (key === 'path' || key === 'linkpath' || key === 'size') into.set(key, value);
  }
}

function extended(
  header: TarHeader,
  globals: Map<string, string>,
  extensions: Map<string, string>,
  where: string,
): TarHeader {
  const value = (key: string) => extensions.get(key) ?? globals.get(key);
  const size = value('size');
  if (size !== undefined && !/^\d{1,15}$/.test(size))
    throw new DamagedError(`${where}: its PAX size is not a number`);
  return {
    type: header.type,
    name: value('path') ?? header.name,
    linkName: value('linkpath') ?? header.linkName,
    size: size === undefined ? header.size : Number(size),
  };
}

const kinds: Record<string, TarEntry['kind']> = {
  '0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '5': 'directory',
};

function toEntry(header: TarHeader, source: ByteSource, where: string): TarEntry {
  const kind = header.name.endsWith('/') && header.type === '0' ? 'directory' : kinds[header.type];
  if (kind === undefined) {
    const name = JSON.stringify(header.name);
    throw new DamagedError(
      `${where}: ${name} is ${typeName(header.type)}, which has no place in an image archive`,
    );
  }
  // Only files have content, whatever the header's size says (as Go's archive/tar reads it).
  const size = kind === 'file' ? header.size : 0;
  return {
    path: entryPath(header.name, where),
    kind,
    link: kind === 'symlink' || kind === 'hardlink' ? header.linkName : undefined,
    size,
    offset: source.position,
    start: () => source.peek(Math.min(size, 64)),
    content: () => source.pieces(size),
  };
}

function typeName(type: string): string {
  const names: Record<string, string> = {
    '3': 'a device',
    '4': 'a device',
    '6': 'a FIFO',
    S: 'a sparse file',
  };
  return names[type] ?? `an entry of type ${JSON.stringify(type)}`;
}

/** Reads what follows the end mark, so that a codec comes to its own end and checks it. */
async function passTrailer(source: ByteSource, what: string): Promise<void> {
  for (let passed = 0; ; ) {
    const { length } = await source.take(1 << 16);
    if (length === 0) return;
    passed += length;
    if (passed > maxTrailer)
      throw new DamagedError(`${what}: goes on for more than ${maxTrailer} bytes after its end`);
  }
}

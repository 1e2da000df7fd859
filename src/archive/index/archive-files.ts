import type { Digest } from '../../oci/digest.ts';
import { DamagedError, messageOf } from '../../support/errors.ts';
import { followLinks, type Linkable } from '../tar/entry-path.ts';
import type { TarEntry } from '../tar/reader.ts';

export interface ArchivedFile extends Linkable {
  path: string;
  size: number;
  offset: number;
}

/** How the content of a file in an archive is reached; a one-way archive keeps what may be a document. */
export interface FileContents {
  /** The whole content of a file of at most `maxDocument` bytes. */
  bytes(file: ArchivedFile): Promise<Uint8Array>;
  /** Digest of the (uncompressed) layer that is this file. */
  diffId(file: ArchivedFile): Promise<Digest>;
}

/** No manifest, index or config is longer, in bytes. */
export const maxDocument = 8 << 20;

/** The files of an archive by their path, links followed. A path that occurs twice is the later one, as in any tar. */
export class ArchiveFiles {
  readonly name: string;
  readonly #entries = new Map<string, ArchivedFile>();
  readonly #contents: FileContents;

  constructor(name: string, contents: FileContents) {
    this.name = name;
    this.#contents = contents;
  }

  add({ path, kind, link, size, offset }: Omit<TarEntry, 'start' | 'content'>): ArchivedFile {
    const file: ArchivedFile = { path, kind, link, size, offset };
    this.#entries.set(path, file);
    return file;
  }

  /** What is at `path`, links followed; `undefined` when nothing is. */
  find(path: string): ArchivedFile | undefined {
    const target = followLinks(this.#entries, path, this.name);
    return target === undefined ? undefined : this.#entries.get(target);
  }

  /** @throws {DamagedError} when there is no such file */
  file(path: string, namedBy: string): ArchivedFile {
    const found = this.find(path);
    if (found?.kind === 'file') return found;
    throw new DamagedError(`${this.name}: ${path}, which ${namedBy} names, is missing`, {
      advice: 'The archive was cut short or put together wrongly: get it again from where it came from',
      facts: { path },
    });
  }

  async bytes(file: ArchivedFile): Promise<Uint8Array> {
    if (file.size > maxDocument) {
      throw new DamagedError(`${this.name}: ${file.path} has ${file.size} bytes, too many for a document`);
    }
    return await this.#contents.bytes(file);
  }

  async json(file: ArchivedFile): Promise<unknown> {
    return parseJson(await this.bytes(file), `${this.name}: ${file.path}`);
  }

  diffId(file: ArchivedFile): Promise<Digest> {
    return this.#contents.diffId(file);
  }
}

/** @throws {DamagedError} when `bytes` are not JSON */
export function parseJson(bytes: Uint8Array, where: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new DamagedError(`${where}: is not JSON (${messageOf(error)})`, { cause: error });
  }
}

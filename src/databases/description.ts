import { DamagedError } from '../support/errors.ts';
import type { DumpFile } from './databases.ts';
import { only, textOf } from './text.ts';

/** What a dump was made of; the file `server.json` beside it. */
export interface ServerDescription {
  /** Its maker's word for it: `MariaDB`, `MySQL`, `PostgreSQL`, `Redis`. */
  product: string;
  /** `10.11.18`, perhaps with more behind it. */
  version: string;
  /** Its data directory inside the container. */
  data: string;
}

/** Of the file in a dump that tells of its server. */
export const descriptionPath = 'server.json';

/** The file of a dump that tells of its server. */
export function descriptionFile(description: ServerDescription): DumpFile {
  return { path: descriptionPath, content: only(`${JSON.stringify(description, undefined, 2)}\n`) };
}

/** @throws {DamagedError} when it is none */
export async function readDescription(content: AsyncIterable<Uint8Array>): Promise<ServerDescription> {
  try {
    const { product, version, data } = JSON.parse(await textOf(content));
    if ([product, version, data].every((value) => typeof value === 'string') && data.startsWith('/'))
      return { product, version, data };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new DamagedError(`reading a dump: its ${descriptionPath} does not describe a server`);
}

/** Why a server may refuse a dump, or nothing: another product, or one that is older than what was dumped. */
export function reasonToRefuse(dumped: ServerDescription, here: ServerDescription): string | undefined {
  if (dumped.product !== here.product)
    return `it is ${here.product} ${here.version}, the backup is of ${dumped.product}`;
  if (isOlder(formatOf(here), formatOf(dumped)))
    return `it is ${here.product} ${here.version}, the backup is of the newer ${dumped.version}`;
  return undefined;
}

/** Of its version what tells of its format: PostgreSQL counts that by its first number alone, from 10 on. */
function formatOf({ product, version }: ServerDescription): string {
  return product === 'PostgreSQL' && Number.parseInt(version, 10) >= 10
    ? `${Number.parseInt(version, 10)}`
    : version;
}

/** By the first two numbers: what follows them changes no format. */
function isOlder(a: string, b: string): boolean {
  const [major = 0, minor = 0] = a.split('.').map(Number.parseFloat);
  const [otherMajor = 0, otherMinor = 0] = b.split('.').map(Number.parseFloat);
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}

import { type Digest, isDigest } from '../../oci/digest.ts';
import { DamagedError, messageOf } from '../../support/errors.ts';
import { plainName } from '../../support/plain-name.ts';
import type { Snapshot, SourceSummary } from './snapshot.ts';

/** The highest format we write and read. */
const formatVersion = 1;

/** What a config holds besides what a `Snapshot` tells. */
export interface Config {
  repository: string;
  snapshot: Omit<Snapshot, 'id'>;
  /** Per source, the digests of its tree's segments in order. */
  trees: Map<string, Digest[]>;
  /** Where the warnings' words are; `snapshot.sources` has none. */
  notes: Digest | undefined;
  warnings: Map<string, number>;
}

/** The bytes of a config: its digest is the id of the snapshot. The keys are told in `docs/backup-format.md`. */
export function encodeConfig({ repository, snapshot, trees, notes }: Omit<Config, 'warnings'>): Buffer {
  const { tags, recipients, ...rest } = snapshot;
  const sources = snapshot.sources.map(({ warnings, ...source }) => {
    return { ...source, warnings: warnings.length, tree: trees.get(source.name) ?? [] };
  });
  const optional = { ...(tags.length > 0 && { tags }), ...(recipients.length > 0 && { recipients }) };
  const config = { format: formatVersion, repository, ...rest, ...optional, sources, notes };
  return Buffer.from(JSON.stringify(config));
}

/**
 * Reads a config whose digest was checked.
 * @throws {DamagedError} naming `where`
 */
export function decodeConfig(bytes: Uint8Array, where: string): Config {
  try {
    return decode(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    throw new DamagedError(`reading ${where}: it is not the config of a snapshot: ${messageOf(cause)}`, {
      cause,
    });
  }
}

type Json = Record<string, unknown>;

function decode(json: Json): Config {
  if (json.format !== formatVersion) {
    throw new Error(`its format is ${JSON.stringify(json.format)}, we know ${formatVersion}`);
  }
  const sources = list(json.sources, 'sources') as Json[];
  requireNames(sources);
  const added = (json.added ?? {}) as Json;
  return {
    repository: repositoryId(json.repository),
    snapshot: {
      started: time(json.started, 'started'),
      ended: time(json.ended, 'ended'),
      host: text(json.host, 'host'),
      deployment: text(json.deployment, 'deployment'),
      release: json.release === undefined ? undefined : text(json.release, 'release'),
      complete: json.complete === true,
      ...(json.rebuilt === true && { rebuilt: true as const }),
      predecessor: json.predecessor === undefined ? undefined : text(json.predecessor, 'predecessor'),
      tags: texts(json.tags, 'tags'),
      recipients: texts(json.recipients, 'recipients'),
      sources: sources.map(decodeSource),
      added: { bytes: number(added.bytes, 'added.bytes'), blobs: number(added.blobs, 'added.blobs') },
    },
    trees: new Map(sources.map((source) => [text(source.name, 'name'), digests(source.tree)])),
    notes: json.notes === undefined ? undefined : digest(json.notes),
    warnings: new Map(
      sources.map((source) => [text(source.name, 'name'), number(source.warnings, 'warnings')]),
    ),
  };
}

/** They become names of directories where they are restored to, and words of shell scripts. */
function requireNames(sources: Json[]): void {
  const names = sources.map(({ name }) => text(name, 'name'));
  const known = new Set<string>();
  const wrong = names.find((name) => !plainName.test(name) || known.size === known.add(name).size);
  if (wrong !== undefined) throw new Error(`${JSON.stringify(wrong)} is no name for a source of its own`);
}

/** It becomes a name in the state directory. */
function repositoryId(value: unknown): string {
  const id = text(value, 'repository');
  if (!/^[0-9a-f]{32}$/.test(id)) throw new Error(`${JSON.stringify(id)} is no id of a repository`);
  return id;
}

function decodeSource(json: Json): SourceSummary {
  return {
    name: text(json.name, 'name'),
    title: text(json.title, 'title'),
    kind: text(json.kind, 'kind') as SourceSummary['kind'],
    started: time(json.started, 'started'),
    ended: time(json.ended, 'ended'),
    complete: json.complete === true,
    files: number(json.files, 'files'),
    bytes: number(json.bytes, 'bytes'),
    newBytes: number(json.newBytes, 'newBytes'),
    warnings: [],
    origin: decodeOrigin((json.origin ?? {}) as Json),
  };
}

function decodeOrigin(json: Json): SourceSummary['origin'] {
  const values = Object.entries(json).map(
    ([key, value]) => [key, Array.isArray(value) ? texts(value, 'origin') : text(value, 'origin')] as const,
  );
  return Object.fromEntries(values);
}

function text(value: unknown, key: string): string {
  if (typeof value !== 'string') throw new Error(`${key} is not text`);
  return value;
}

function number(value: unknown, key: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new Error(`${key} is not a number`);
  return value as number;
}

function time(value: unknown, key: string): Date {
  const date = new Date(text(value, key));
  if (Number.isNaN(date.getTime())) throw new Error(`${key} is not a time`);
  return date;
}

function list(value: unknown, key: string): unknown[] {
  if (!Array.isArray(value)) throw new Error(`${key} is not a list`);
  return value;
}

function texts(value: unknown, key: string): string[] {
  return list(value ?? [], key).map((one) => text(one, key));
}

function digests(value: unknown): Digest[] {
  return list(value, 'tree').map(digest);
}

function digest(value: unknown): Digest {
  if (!isDigest(value)) throw new Error(`${JSON.stringify(value)} is not a digest`);
  return value;
}

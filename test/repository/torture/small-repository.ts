import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Identity } from '../../../src/repository/age/keys.ts';
import { openOrCreateRepository } from '../../../src/repository/open.ts';
import { trySigningKey } from '../../../src/repository/signed/signing-key.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { endsSegment } from '../../../src/repository/tree/cut.ts';
import { quietContext, saveDirectory } from '../../support/save-directory.ts';
import { makeSshKey } from '../../support/ssh-keys.ts';

/** What a file of the repository is, and which snapshots need it. */
export interface KnownFile {
  /** Relative to the repository. */
  path: string;
  kind:
    | 'manifest'
    | 'config'
    | 'signature'
    | 'pack'
    | 'index'
    | 'tree'
    | 'notes'
    | 'index.json'
    | 'oci-layout';
  /** Ids. */
  neededBy: string[];
  /** Of a tree: `source:path` of the files it tells of. */
  tellsOf: string[];
}

export interface SmallRepository {
  directory: string;
  files: KnownFile[];
  snapshots: Snapshot[];
}

/**
 * Two snapshots of a handful of small files with everything a repository can have: several packs, indexes and segments
 * of a tree, shared ones and not, and notes.
 */
export async function makeSmallRepository(root: string, keys: readonly Identity[]): Promise<SmallRepository> {
  const [directory, source] = [join(root, 'golden'), join(root, 'files')];
  const signingKey = await trySigningKey(makeSshKey(root, 'host-key'));
  const context = quietContext(join(root, 'state'));
  mkdirSync(source);
  for (const name of [...namesThatEndSegments(2), 'b', 'y', 'z']) {
    writeFileSync(join(source, name), randomBytes(40));
  }
  const repository = await openOrCreateRepository(directory, context, { identities: keys });
  const snapshots: Snapshot[] = [];
  const segments = new Map<string, string[][]>();
  for (const change of ['first', 'second']) {
    writeFileSync(join(source, `m-${change}`), randomBytes(30));
    const run = await repository.beginRun(
      { host: 'here', deployment: 'test', release: '1.0', recipients: keys, signingKey },
      context,
    );
    await saveDirectory(run, 'files', source, context);
    const other = await run.beginSource({ name: 'other', title: 'Other', kind: 'run', origin: {} });
    other.warn(`noted in the ${change} run`);
    const { chunks, size } = await other.storeStream(only(Buffer.from(`dump of the ${change} run`)));
    await other.add({ path: 'dump', type: 'file', mode: 0o600, uid: 0, gid: 0, mtime: 0n, size, chunks });
    await other.end();
    const snapshot = await run.commit();
    snapshots.push(snapshot);
    segments.set(snapshot.id, [...cutIntoSegments(readdirSync(source).sort()), ['other:dump']]);
  }
  await repository.close();
  return { directory, files: describeFiles(directory, segments), snapshots };
}

async function* only(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

/** Paths behind which a tree is cut, so that a few files make several segments. */
function namesThatEndSegments(count: number): string[] {
  const names: string[] = [];
  for (let i = 0; names.length < count; i++) if (endsSegment(`k${i}`, 10)) names.push(`k${i}`);
  return names;
}

function cutIntoSegments(names: readonly string[]): string[][] {
  const segments: string[][] = [[]];
  for (const name of names) {
    segments.at(-1)!.push(`files:${name}`);
    if (endsSegment(name, 10)) segments.push([]);
  }
  return segments;
}

/**
 * From the manifests, read without any code that is tested.
 * @param segments of each snapshot's trees, in order
 */
function describeFiles(directory: string, segments: Map<string, string[][]>): KnownFile[] {
  const blobs = join(directory, 'blobs', 'sha256');
  const files = new Map<string, KnownFile>();
  const need = (digest: string, kind: KnownFile['kind'], id: string) => {
    const path = `blobs/sha256/${digest.slice('sha256:'.length)}`;
    const file = files.get(path) ?? { path, kind, neededBy: [], tellsOf: [] };
    file.neededBy.push(id);
    files.set(path, file);
  };
  for (const name of readdirSync(blobs)) {
    const text = readFileSync(join(blobs, name), 'latin1');
    if (!text.startsWith('{"schemaVersion"')) continue;
    const { config, layers } = JSON.parse(text);
    need(`sha256:${name}`, 'manifest', config.digest);
    need(config.digest, 'config', config.digest);
    for (const { digest, mediaType } of layers) {
      need(digest, /dockerctl\.(\w+)\./.exec(mediaType)![1] as KnownFile['kind'], config.digest);
    }
    const { sources } = JSON.parse(readFileSync(join(blobs, config.digest.slice('sha256:'.length)), 'utf8'));
    const trees: string[] = sources.flatMap(({ tree }: { tree: string[] }) => tree);
    for (const [i, digest] of trees.entries()) {
      files.get(`blobs/sha256/${digest.slice('sha256:'.length)}`)!.tellsOf = segments.get(config.digest)![i]!;
    }
  }
  for (const kind of ['index.json', 'oci-layout'] as const)
    files.set(kind, { path: kind, kind, neededBy: [], tellsOf: [] });
  return [...files.values()];
}

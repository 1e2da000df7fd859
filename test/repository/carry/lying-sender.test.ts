/**
 * A host that may only add snapshots to a repository, and says in them of well-known content that it is where it is
 * not: what other hosts save there afterwards must be whole all the same.
 */
import { hash, randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf } from '../../../src/oci/digest.ts';
import { publishBlob, stageBlob } from '../../../src/oci/layout-blobs.ts';
import { decodeRecipient, type Identity } from '../../../src/repository/age/keys.ts';
import { readMetadata, stageMetadata } from '../../../src/repository/blobs/metadata.ts';
import { encodeMessage, protocol } from '../../../src/repository/carry/messages.ts';
import type { Outgoing } from '../../../src/repository/carry/outgoing.ts';
import { receive } from '../../../src/repository/carry/receive.ts';
import { openOrCreateRepository, openRepository } from '../../../src/repository/open.ts';
import { decodeIndex, encodeIndexHeader, encodePackLine } from '../../../src/repository/packs/index-lines.ts';
import type { Store } from '../../../src/repository/seal/store.ts';
import { loadCatalog } from '../../../src/repository/snapshot/catalog.ts';
import { encodeManifest, type Parts } from '../../../src/repository/snapshot/manifest.ts';
import { manifestLimit } from '../../../src/repository/snapshot/media-types.ts';
import { publishSnapshot } from '../../../src/repository/snapshot/publish.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import type { StoredSnapshot } from '../../../src/repository/snapshot/stored.ts';
import { DamagedError } from '../../../src/support/errors.ts';
import { silent } from '../../../src/support/progress.ts';
import { rejects } from '../../support/rejects.ts';
import { quietContext, saveDirectories } from '../../support/save-directory.ts';
import { makeSshKey } from '../../support/ssh-keys.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { sealings } from '../sealings.ts';

const root = temporaryDirectory();
const [host, sender] = [makeSshKey(root, 'host'), makeSshKey(root, 'sender')];
const wellKnown = randomBytes(100_000);

/** A host that saves the well-known content into a repository of its own, and what it has to say of it. */
function makeHost(name: string, signingKey: string | undefined, recipients: Store['recipients'] = []) {
  const home = mkdtempSync(join(root, `${name}-`));
  const [files, directory] = [join(home, 'files'), join(home, 'repository')];
  const warnings: string[] = [];
  const context = {
    ...quietContext(join(home, 'state')),
    progress: { ...silent, warn: (text: string) => void warnings.push(text) },
  };
  mkdirSync(files);
  writeFileSync(join(files, 'own'), randomBytes(5000));

  async function save(keys: readonly Identity[] = [], into = directory): Promise<Snapshot> {
    const repository = await openOrCreateRepository(into, context, { identities: keys });
    try {
      return await saveDirectories(repository, { files }, context, recipients, signingKey);
    } finally {
      await repository.close();
    }
  }

  async function remove({ id }: Snapshot): Promise<void> {
    const repository = await openRepository(directory, context);
    await repository.remove([id], context);
    await repository.close();
  }

  return { files, directory, context, warnings, save, remove };
}

type Host = ReturnType<typeof makeHost>;

/** Sends the newest snapshot of a repository to another that can only be added to. */
async function send(from: string, to: string, { context }: Host): Promise<void> {
  const repository = await openRepository(from, context);
  const outgoing = await repository.outgoing(await repository.find('latest'));
  const answers: Record<string, unknown>[] = [];
  const write = async (message: Uint8Array) => {
    answers.push(JSON.parse(Buffer.from(message).toString('utf8', 4)));
  };
  const connection = { input: spoken(outgoing, answers), write };
  await receive(() => openOrCreateRepository(to, context), connection, { appendOnly: true }, context);
  await repository.close();
  assert.is(answers.at(-1)?.stored, outgoing.snapshot.id);
}

async function* spoken({ manifest, blobs, read }: Outgoing, answers: Record<string, unknown>[]) {
  yield encodeMessage({ protocol, send: digestOf(manifest), bytes: manifest.length });
  yield manifest;
  while (answers.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const lacks = new Set(answers[0]?.lacks as string[]);
  for (const blob of blobs.filter(({ digest }) => lacks.has(digest))) {
    yield encodeMessage({ blob: blob.digest, bytes: blob.size });
    yield* read(blob);
  }
}

const identities = sealings[1][1];
const storeOf = (directory: string, recipients: Store['recipients'] = []): Store => ({
  ...{ directory, recipients, identities, cache: undefined },
});

/** The only snapshot of a repository, with a manifest that says something else of the same config. */
async function retell(
  { directory }: Host,
  change: (stored: StoredSnapshot, store: Store) => Promise<Partial<Parts>>,
): Promise<void> {
  const stored = (await loadCatalog(storeOf(directory))).stored[0]!;
  const { recipients } = stored.snapshot;
  const store = storeOf(directory, recipients.map(decodeRecipient));
  const parts = { ...stored.parts, ...(await change(stored, store)) };
  const manifest = await stageBlob(store, encodeManifest(parts, recipients.length > 0));
  rmSync(join(directory, 'blobs', 'sha256', stored.manifest.digest.slice(7)));
  await publishSnapshot(store, [], stored.snapshot, manifest);
}

/** An index that says of the first chunk of a pack that it is the well-known one. */
async function lieOf({ parts }: StoredSnapshot, store: Store): Promise<Partial<Parts>> {
  const { header, packs } = decodeIndex(await readMetadata(store, parts.indexes[0]!), 'the index');
  const lines = packs.map((contents) => {
    const [first, ...frames] = contents.frames;
    const chunks = hash('sha256', wellKnown) + first!.chunks.slice(64);
    return encodePackLine({ ...contents, frames: [{ ...first!, chunks }, ...frames] });
  });
  const text = [encodeIndexHeader(header), ...lines, ''].join('\n');
  const index = await stageMetadata(store, Buffer.from(text));
  await publishBlob(store, index);
  return { indexes: [{ ...index, packs: parts.packs }] };
}

/** All that a snapshot holds can be read, and is what was saved. */
async function requireWhole(snapshot: Snapshot, directory: string, { files, context }: Host): Promise<void> {
  const repository = await openRepository(directory, context, { identities });
  try {
    for await (const entry of repository.entries(snapshot, 'files')) {
      if (entry.type !== 'file') continue;
      const content = Buffer.concat(await Array.fromAsync(repository.content(snapshot, entry)));
      assert.ok(content.equals(readFileSync(join(files, entry.path))), entry.path);
    }
    const { damage } = await repository.verify({ readData: true }, context);
    assert.equal(
      damage.filter(({ snapshots }) => snapshots.includes(snapshot.id)),
      [],
    );
  } finally {
    await repository.close();
  }
}

const cases = [
  ...sealings.map((each) => [...each, []] as const),
  ['encrypted, key at hand', identities, identities],
] as const;

for (const [sealing, recipients, keys] of cases) {
  test(`content that a sender only claims to have brought is stored by who signs (${sealing})`, async () => {
    const [server, liar] = [makeHost('server', host, recipients), makeHost('liar', sender, recipients)];
    await server.save();
    await liar.save();
    await retell(liar, lieOf);
    await send(liar.directory, server.directory, server);
    writeFileSync(join(server.files, 'well-known'), wellKnown);
    await requireWhole(await server.save(keys), server.directory, server);
  });
}

/** Sends the server a snapshot that it signed itself, with a manifest of the sender's. */
async function replay(
  server: Host,
  signedIn: string,
  change: (signed: StoredSnapshot) => Partial<Parts>,
): Promise<void> {
  await retell({ ...server, directory: signedIn }, async (signed) => change(signed));
  await send(signedIn, server.directory, server);
}

for (const [sealing, recipients, keys] of cases) {
  test(`nor is it believed with a config that this host signed once (${sealing})`, async () => {
    const [server, liar] = [makeHost('server', host, recipients), makeHost('liar', sender, recipients)];
    const removed = await server.save();
    const copy = `${server.directory}-copy`;
    cpSync(server.directory, copy, { recursive: true });
    writeFileSync(join(server.files, 'changes'), randomBytes(1000));
    await server.save();
    await server.remove(removed);
    await liar.save();
    await retell(liar, lieOf);
    const { parts } = (await loadCatalog(storeOf(liar.directory))).stored[0]!;
    cpSync(liar.directory, copy, { recursive: true, filter: (path) => !path.endsWith('.json') });
    await replay(server, copy, (signed) => ({
      packs: [...signed.parts.packs, ...parts.packs],
      indexes: [...signed.parts.indexes, ...parts.indexes],
    }));
    writeFileSync(join(server.files, 'well-known'), wellKnown);
    await requireWhole(await server.save(keys), server.directory, server);
  });

  test(`nor that a list of files of this host needs no packs (${sealing})`, async () => {
    const server = makeHost('server', host, recipients);
    await server.save();
    const other = `${server.directory}-other`;
    await server.save([], other);
    await replay(server, other, ({ parts }) => {
      return { packs: [], indexes: [], trees: parts.trees.map((tree) => ({ ...tree, packs: [] })) };
    });
    await requireWhole(await server.save(keys), server.directory, server);
  });
}

test('a lie about a pack of somebody else is found to be one, and nobody else is damaged by it', async () => {
  const server = makeHost('server', host);
  const removed = await server.save();
  const copy = `${server.directory}-copy`;
  cpSync(server.directory, copy, { recursive: true });
  writeFileSync(join(server.files, 'changes'), randomBytes(1000));
  const kept = await server.save();
  await server.remove(removed);
  await retell({ ...server, directory: copy }, lieOf);
  await send(copy, server.directory, server);
  await requireWhole(kept, server.directory, server);
  const repository = await openRepository(server.directory, server.context);
  const { damage } = await repository.verify({ readData: true }, server.context);
  assert.equal(
    damage.map(({ snapshots }) => snapshots),
    [[removed.id]],
  );
  assert.match(damage[0]!.message, 'what it tells of sha256:');
  assert.equal(
    (await repository.snapshots()).map(({ damaged = false }) => damaged),
    [true, false],
  );
  await repository.close();
});

test('what came from another repository does not make a host forget what is in its encrypted ones', async () => {
  const server = makeHost('server', host, identities);
  const other = `${server.directory}-other`;
  await server.save([], other);
  const first = await server.save();
  await server.save([], other);
  await send(other, server.directory, server);
  assert.is((await server.save()).predecessor, first.id);
  await server.save([], other);
  assert.equal(
    server.warnings.filter((text) => text.includes('stored anew')),
    [],
  );
});

test('a repair finds content where it is, not where a sender says', async () => {
  const [liar, server] = [makeHost('liar', sender), makeHost('server', host)];
  await liar.save();
  await retell(liar, lieOf);
  writeFileSync(join(server.files, 'well-known'), wellKnown);
  const first = await server.save();
  const { parts } = (await loadCatalog(storeOf(server.directory))).stored[0]!;
  for (const { digest } of parts.packs) rmSync(join(server.directory, 'blobs', 'sha256', digest.slice(7)));
  writeFileSync(join(server.files, 'more'), randomBytes(1000));
  await server.save();
  await send(liar.directory, server.directory, server);
  const repository = await openRepository(server.directory, server.context);
  assert.equal((await repository.repair(server.context)).mended, [first.id]);
  await repository.close();
  await requireWhole(first, server.directory, server);
});

test('a manifest that would be too long to read once it is kept is refused', async () => {
  const server = makeHost('server', host);
  const liar = makeHost('liar', sender);
  await liar.save();
  await retell(liar, async ({ parts: { trees }, manifest }) => {
    const padding = 'x'.repeat(manifestLimit - manifest.size);
    return { trees: trees.map((tree) => ({ ...tree, source: tree.source + padding })) };
  });
  const error = await rejects(() => send(liar.directory, server.directory, server), DamagedError);
  assert.match(error.message, 'its manifest is too long');
  await server.save();
});

test.run();

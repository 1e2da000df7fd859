import { hash, randomInt } from 'node:crypto';
import type { Digest } from '../../oci/digest.ts';
import { encodePackLine, type PackContents } from '../packs/index-lines.ts';
import type { VerifyReport } from '../repository.ts';
import { packsOf, type StoredSnapshot } from '../snapshot/stored.ts';
import { checkPack, readEveryTelling } from './check-pack.ts';
import type { Verifying } from './verifying.ts';

/** What one or more indexes tell of a pack, and what of that is not so. */
interface Telling {
  line: string;
  indexes: Digest[];
  wrong: string | undefined;
}

/**
 * Checks packs against all that indexes tell of them. Anybody may have sent an index that lies: a pack that is as any
 * of them says is whole, and what is wrong are the others.
 * @param drawn those to read
 */
export async function checkPacks(
  verifying: Verifying,
  drawn: ReadonlySet<Digest>,
): Promise<NonNullable<VerifyReport['packs']>> {
  const { store, catalog, opened, found } = verifying;
  const tellings = new Map<Digest, Telling[]>();
  for await (const { index, contents } of readEveryTelling(store, opened)) {
    if (!drawn.has(contents.pack) || found.blobs.has(contents.pack)) continue;
    const told = tellings.get(contents.pack) ?? [];
    tellings.set(contents.pack, told);
    await checkTelling(verifying, told, index, contents);
  }
  for (const [pack, told] of tellings) await reportWrong(verifying, pack, told);
  return { read: drawn.size, all: packsOf(catalog.stored).size };
}

/** This share of the packs of snapshots, each as likely as any other. */
export function drawPacks(stored: readonly StoredSnapshot[], part: number): Set<Digest> {
  const all = [...packsOf(stored)];
  const count = Math.ceil(all.length * part);
  return new Set(Array.from({ length: count }, () => all.splice(randomInt(all.length), 1)[0]!));
}

/** What several indexes tell alike is checked once. */
async function checkTelling(
  { store, task }: Verifying,
  told: Telling[],
  index: Digest,
  contents: PackContents,
): Promise<void> {
  const line = hash('sha256', encodePackLine(contents));
  const known = told.find((telling) => telling.line === line);
  if (known !== undefined) {
    known.indexes.push(index);
    return;
  }
  if (told.length === 0) task.advance(contents.size);
  told.push({ line, indexes: [index], wrong: await checkPack(store, contents) });
}

async function reportWrong({ found }: Verifying, pack: Digest, told: readonly Telling[]): Promise<void> {
  const wrong = told.filter((telling) => telling.wrong !== undefined);
  if (wrong.length === told.length)
    return found.add({ digest: pack, message: wrong[0]!.wrong!, inside: true });
  for (const { indexes } of wrong) {
    const message = `what it tells of ${pack} is not so`;
    for (const digest of indexes) if (!found.blobs.has(digest)) found.add({ digest, message, inside: true });
  }
}

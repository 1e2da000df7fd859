import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import * as vectors from 'cctv-age';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decryptBytes } from '../../../src/repository/age/decrypt.ts';
import { decodeHeader, encodeHeader, headerLength } from '../../../src/repository/age/header.ts';
import { decodeIdentities, type Identity } from '../../../src/repository/age/keys.ts';
import { SealedFile } from '../../../src/repository/age/sealed-file.ts';
import { DamagedError, SignatureError } from '../../../src/support/errors.ts';
import { bytesAsFile } from './bytes-as-file.ts';

// The test vectors of the age specification's authors, github.com/C2SP/CCTV. Armor and passphrases are not for us.

interface Vector {
  name: string;
  expect: string;
  fileKey: Uint8Array | undefined;
  /** SHA-256 of the plaintext that may be passed on, before a failure too. */
  payload: string | undefined;
  identities: Identity[];
  file: Uint8Array;
}

const cases = Object.entries(vectors)
  .filter(([name]) => name !== 'default' && name !== 'module.exports')
  .map(([name, bytes]) => parseVector(name, Buffer.from(bytes as Uint8Array)))
  .filter((vector) => vector !== undefined);

function parseVector(name: string, bytes: Buffer): Vector | undefined {
  const end = bytes.indexOf('\n\n');
  const fields: Record<string, string[]> = {};
  for (const line of bytes.toString('latin1', 0, end).split('\n')) {
    const [key = '', value = ''] = line.split(': ');
    fields[key] = [...(fields[key] ?? []), value];
  }
  const identities = fields.identity?.filter((key) => key.startsWith('AGE-SECRET-KEY-1'));
  if (fields.armored !== undefined || identities === undefined || identities.length === 0) return undefined;
  const rest = bytes.subarray(end + 2);
  return {
    name,
    expect: fields.expect?.[0] ?? '',
    fileKey: fields['file key']?.[0] === undefined ? undefined : Buffer.from(fields['file key'][0], 'hex'),
    payload: fields.payload?.[0],
    identities: decodeIdentities(identities.join('\n'), name),
    file: fields.compressed === undefined ? rest : inflateSync(rest),
  };
}

/** Reads the vector's file in pieces of so many bytes; tells the outcome and the hash of what was passed on. */
async function readInPieces({ file, identities, name }: Vector, size: number) {
  const payload = createHash('sha256');
  const outcome = await outcomeOf(async () => {
    const sealed = await SealedFile.open(bytesAsFile(file), identities, name);
    for (let at = 0; ; at += size) {
      const piece = await sealed.read(at, size);
      payload.update(piece);
      if (piece.length === 0) break;
    }
  });
  return { outcome, payload: payload.digest('hex') };
}

async function outcomeOf(run: () => Promise<void>): Promise<string> {
  try {
    await run();
    return 'success';
  } catch (error) {
    if (error instanceof SignatureError) return 'no match';
    if (error instanceof DamagedError) return 'damaged';
    throw error;
  }
}

function wanted({ expect }: Vector): string {
  return expect === 'success' || expect === 'no match' ? expect : 'damaged';
}

test('the vectors are there', () => {
  assert.ok(cases.length > 60);
});

for (const vector of cases) {
  test(`vector ${vector.name} ends as it should: ${vector.expect}`, async () => {
    const whole = await outcomeOf(async () => {
      const plaintext = decryptBytes(vector.file, vector.identities, vector.name);
      assert.is(createHash('sha256').update(plaintext).digest('hex'), vector.payload);
    });
    assert.is(whole, wanted(vector), 'whole');
    for (const size of [4093, 65_536, 65_537]) {
      const { outcome, payload } = await readInPieces(vector, size);
      // Parts are read without the end, so that an end which is missing or odd need not show.
      const mayOverlook = outcome === 'success' && vector.expect === 'payload failure';
      if (!mayOverlook) assert.is(outcome, wanted(vector), `in pieces of ${size}`);
      if (vector.expect === 'success') assert.is(payload, vector.payload);
    }
  });
}

test('a header that can be read is written again byte for byte', () => {
  let written = 0;
  for (const { name, file, fileKey } of cases.filter(({ expect }) => expect === 'success')) {
    const header = file.subarray(0, headerLength(file));
    const decoded = decodeHeader(header);
    assert.ok(decoded !== undefined && fileKey !== undefined, name);
    assert.equal(Buffer.from(encodeHeader(decoded.stanzas, fileKey)), Buffer.from(header), name);
    written++;
  }
  assert.ok(written > 10);
});

test.run();

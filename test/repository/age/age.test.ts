import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openBlobFile } from '../../../src/oci/blob-file.ts';
import { decryptBytes } from '../../../src/repository/age/decrypt.ts';
import { Encryptor, encryptBytes } from '../../../src/repository/age/encrypt.ts';
import { maximumHeaderBytes } from '../../../src/repository/age/header.ts';
import {
  decodeIdentities,
  encodeIdentity,
  encodeRecipient,
  generateIdentity,
  type Identity,
} from '../../../src/repository/age/keys.ts';
import { SealedFile } from '../../../src/repository/age/sealed-file.ts';
import { DamagedError, SignatureError } from '../../../src/support/errors.ts';
import { needProgram } from '../../support/debian-program.ts';
import fc from '../../support/property.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { bytesAsFile } from './bytes-as-file.ts';

const identity = generateIdentity();
const chunk = 64 * 1024;

function keyFile(key: Identity): string {
  const file = join(temporaryDirectory(), 'key.txt');
  writeFileSync(file, `${encodeIdentity(key)}\n`);
  return file;
}

function age(args: string[], input: Uint8Array): Buffer {
  needProgram('age');
  return execFileSync('age', args, { input, maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'pipe'] });
}

test('what the age program wrote is read: empty, small, at and around chunk borders', () => {
  for (const size of [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 5 * chunk + 7]) {
    const plaintext = randomBytes(size);
    const file = age(['-r', encodeRecipient(identity)], plaintext);
    assert.equal(Buffer.from(decryptBytes(file, [identity], 'a file')), plaintext);
  }
});

test('what we write is opened by the age program, by each of two recipients', () => {
  const other = generateIdentity();
  for (const size of [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 5 * chunk + 7]) {
    const plaintext = randomBytes(size);
    const file = encryptBytes(plaintext, [identity, other]);
    for (const key of [identity, other]) assert.equal(age(['-d', '-i', keyFile(key)], file), plaintext);
  }
});

test('an identity made by age-keygen is read, and names the same recipient', () => {
  needProgram('age');
  const text = execFileSync('age-keygen', { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const [key] = decodeIdentities(text, 'key.txt');
  assert.ok(key !== undefined);
  assert.ok(text.includes(`public key: ${encodeRecipient(key)}\n`));
  assert.ok(text.includes(`\n${encodeIdentity(key)}\n`));
});

test('pieces of any length become the file that a whole buffer becomes, and back', async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: 0, max: 9 * chunk + 1 }),
    fc.integer({ min: 100, max: 6 * chunk }),
    fc.integer({ min: 100, max: 2 * chunk }),
    async (size, cutIn, cutOut) => {
      const plaintext = randomBytes(size);
      const file = encryptInPieces(plaintext, cutIn);
      assert.is(file.length, encryptBytes(plaintext, [identity]).length);
      assert.equal(Buffer.from(decryptBytes(file, [identity], 'a file')), plaintext);
      assert.equal(await readInPieces(file, cutOut), plaintext);
    },
  );
  await fc.assert(property, { numRuns: 50 });
});

test('one byte at a time works in both directions', async () => {
  const plaintext = randomBytes(chunk + 3);
  const file = encryptInPieces(plaintext, 1);
  assert.equal(Buffer.from(decryptBytes(file, [identity], 'a file')), plaintext);
  assert.equal(await readInPieces(file, 1, chunk - 30), plaintext.subarray(chunk - 30));
});

test('a file with any one byte altered is refused', () => {
  const file = Buffer.from(encryptBytes(Buffer.from('rows and rows'), [identity]));
  for (let i = 0; i < file.length; i++) {
    for (const bit of [1, 0x80]) {
      const damaged = Buffer.from(file);
      damaged[i] = (file[i] ?? 0) ^ bit;
      assert.throws(
        () => decryptBytes(damaged, [identity], 'a file'),
        (error: unknown) => error instanceof DamagedError || error instanceof SignatureError,
        `byte ${i}`,
      );
    }
  }
});

test('a file cut anywhere, or continued, is damaged', () => {
  const file = encryptBytes(randomBytes(50), [identity]);
  const lengths = Array.from({ length: file.length }, (_, length) => length);
  for (const damaged of [...lengths.map((n) => file.subarray(0, n)), Buffer.concat([file, file])]) {
    assert.throws(
      () => decryptBytes(damaged, [identity], 'packs/1'),
      (error: unknown) => error instanceof DamagedError && error.message.startsWith('packs/1: '),
    );
  }
});

test('chunks that change places, or are left out, are damage', () => {
  const file = encryptBytes(randomBytes(3 * chunk), [identity]);
  const sealed = chunk + 16;
  const begin = file.length - 3 * sealed;
  const part = (n: number): Uint8Array => file.subarray(begin + n * sealed, begin + (n + 1) * sealed);
  const head = file.subarray(0, begin);
  for (const order of [[1, 0, 2], [0, 2], [0, 1], [2], [0, 1, 2, 2], []]) {
    const damaged = Buffer.concat([head, ...order.map(part)]);
    assert.throws(
      () => decryptBytes(damaged, [identity], 'a file'),
      (error: unknown) => error instanceof DamagedError,
    );
  }
});

test('no key that fits is told apart from damage, and the key stays secret', () => {
  const stranger = generateIdentity();
  const file = encryptBytes(Buffer.from('secret'), [identity]);
  assert.throws(
    () => decryptBytes(file, [stranger], 'a file'),
    (error: unknown) =>
      error instanceof SignatureError && !JSON.stringify(error).includes(encodeIdentity(stranger)),
  );
  assert.equal(Buffer.from(decryptBytes(file, [stranger, identity], 'a file')).toString(), 'secret');
});

test('a header without end is given up after a bounded number of bytes', async () => {
  const beginning = Buffer.from('age-encryption.org/v1\n-> X25519 ');
  const endless = Buffer.concat([beginning, Buffer.alloc(16 * maximumHeaderBytes, 'a')]);
  let given = 0;
  const file = bytesAsFile(endless, (length) => {
    given += length;
  });
  const opened = SealedFile.open(file, [identity], 'a file');
  assert.instance(await opened.catch((error: unknown) => error), DamagedError);
  assert.ok(given <= 2 * maximumHeaderBytes, `${given} bytes`);
});

test('any part of a file is read without the rest, and nothing altered is passed on', async () => {
  const plaintext = randomBytes(3 * chunk + 100);
  const path = join(temporaryDirectory(), 'file.age');
  const whole = encryptBytes(plaintext, [identity]);
  const begin = whole.length - plaintext.length - 4 * 16;
  const damaged = Buffer.from(whole);
  damaged.writeUInt8(damaged.readUInt8(begin + chunk + 21) ^ 1, begin + chunk + 21);
  writeFileSync(path, whole);
  writeFileSync(`${path}.damaged`, damaged);
  const [good, bad] = [await openBlobFile(path), await openBlobFile(`${path}.damaged`)];
  const sealed = await SealedFile.open(good, [identity], 'a file');
  const spoiled = await SealedFile.open(bad, [identity], 'a file');
  const anyRange = [fc.nat(plaintext.length + 10), fc.nat(2 * chunk)] as const;
  const property = fc.asyncProperty(...anyRange, async (offset, length) => {
    const want = plaintext.subarray(offset, offset + length);
    assert.equal(Buffer.from(await sealed.read(offset, length)), want);
    const touched = offset < 2 * chunk && offset + length > chunk && want.length > 0;
    const read = await spoiled.read(offset, length).catch((error: unknown) => error);
    if (touched) assert.instance(read, DamagedError);
    else assert.equal(Buffer.from(read as Uint8Array), want);
  });
  await fc.assert(property, { numRuns: 60 });
  await Promise.all([good.close(), bad.close()]);
});

test('a file cut anywhere cannot be read at its end', async () => {
  const whole = encryptBytes(randomBytes(chunk + 50), [identity]);
  const path = join(temporaryDirectory(), 'cut.age');
  for (const length of [0, 10, 100, whole.length - 70, whole.length - 66, whole.length - 1]) {
    writeFileSync(path, whole.subarray(0, length));
    const file = await openBlobFile(path);
    const opened = SealedFile.open(file, [identity], 'a file').then((sealed) => sealed.read(0, 2 * chunk));
    assert.instance(await opened.catch((error: unknown) => error), DamagedError);
    await file.close();
  }
});

test('a file for nobody is not made', () => {
  assert.throws(() => encryptBytes(new Uint8Array(1), []), /recipients/);
});

async function readInPieces(file: Uint8Array, length: number, from = 0): Promise<Buffer> {
  const sealed = await SealedFile.open(bytesAsFile(file), [identity], 'a file');
  const pieces: Uint8Array[] = [];
  for (let at = from; ; at += length) {
    const piece = await sealed.read(at, length);
    if (piece.length === 0) return Buffer.concat(pieces);
    pieces.push(piece);
  }
}

function encryptInPieces(plaintext: Uint8Array, length: number): Buffer {
  const encryptor = new Encryptor([identity]);
  const file: Buffer[] = [];
  for (let at = 0; at < plaintext.length; at += length)
    for (const sealed of encryptor.update(plaintext.subarray(at, at + length)))
      file.push(Buffer.from(sealed));
  for (const sealed of encryptor.final()) file.push(Buffer.from(sealed));
  return Buffer.concat(file);
}

test.run();

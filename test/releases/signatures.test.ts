import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fingerprintOf, requireSigner } from '../../src/releases/signatures.ts';
import { SignatureError } from '../../src/support/errors.ts';
import { signWithSshKey } from '../../src/support/ssh-signature.ts';
import { makeSshKey, writeAllowedSigners } from '../support/ssh-keys.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const directory = temporaryDirectory();
const vendor = makeSshKey(directory, 'vendor');
const stranger = makeSshKey(directory, 'stranger');
const signers = writeAllowedSigners(join(directory, 'signers'), [
  { key: vendor, as: 'release@vendor.example' },
]);
const document = Buffer.from('{"schema": 1}');

async function signedBy(key: string) {
  return { document, signature: Buffer.from(await signWithSshKey(document, key)) };
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, SignatureError);
  return (error as SignatureError).message;
}

test('who has no allowed signers asks for none', async () => {
  assert.is(await requireSigner(undefined, undefined, 'shop.tar'), undefined);
  assert.is(await requireSigner({ document, signature: undefined }, undefined, 'shop.tar'), undefined);
});

test('a bundle that an allowed signer signed passes, and says who it was', async () => {
  const signed = await signedBy(vendor);
  const signer = await requireSigner(signed, signers, 'shop.tar');
  assert.is(signer?.principal, 'release@vendor.example');
  assert.is(await fingerprintOf(signed, 'shop.tar'), signer?.fingerprint);
});

test('an archive that is no bundle, or unsigned, is refused', async () => {
  assert.match(await refusal(requireSigner(undefined, signers, 'shop.tar')), 'shop.tar: is not signed');
  await refusal(requireSigner({ document, signature: undefined }, signers, 'shop.tar'));
});

test('a stranger, an altered document and a broken signature are refused', async () => {
  await refusal(requireSigner(await signedBy(stranger), signers, 'shop.tar'));
  const { signature } = await signedBy(vendor);
  for (let at = 0; at < document.length; at++) {
    const altered = Buffer.from(document);
    altered[at]! ^= 0x20;
    await refusal(requireSigner({ document: altered, signature }, signers, 'shop.tar'));
  }
  await refusal(requireSigner({ document, signature: Buffer.from('nothing') }, signers, 'shop.tar'));
});

test.run();

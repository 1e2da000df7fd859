import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SignatureError } from '../../src/support/errors.ts';
import {
  signatureNamespaces,
  signWithSshKey,
  sshSignatureFingerprint,
  verifySshSignature,
} from '../../src/support/ssh-signature.ts';
import { makeSshKey, writeAllowedSigners } from './ssh-keys.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const directory = temporaryDirectory();
const vendor = makeSshKey(directory, 'vendor');
const stranger = makeSshKey(directory, 'stranger');
const allowedSigners = writeAllowedSigners(join(directory, 'allowed'), [
  { key: vendor, as: 'release@vendor.example,night@vendor.example' },
]);
const data = 'what was shipped';

async function failure(promise: Promise<unknown>): Promise<SignatureError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, SignatureError);
  return error as SignatureError;
}

function verify(signature: string, options: { signed?: string; signers?: string } = {}): Promise<unknown> {
  const signers = options.signers ?? allowedSigners;
  return verifySshSignature(options.signed ?? data, signature, {
    allowedSigners: signers,
    what: 'shop-1.4.tar',
  });
}

test('a signature by an allowed key names its principal and its fingerprint', async () => {
  const signature = await signWithSshKey(data, vendor);
  assert.match(signature, /^-----BEGIN SSH SIGNATURE-----\n/);
  const fingerprint = await sshSignatureFingerprint(data, signature, 'shop');
  assert.match(fingerprint, /^SHA256:[\w+/]{43}$/);
  assert.equal(await verify(signature), { principal: 'release@vendor.example', fingerprint });
});

test('altered data, or an altered signature, is refused', async () => {
  const signature = await signWithSshKey(data, vendor);
  assert.match((await failure(verify(signature, { signed: `${data} ` }))).message, /does not match/);
  const lines = signature.split('\n');
  lines[4] = (lines[4] ?? '').replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
  assert.match((await failure(verify(lines.join('\n')))).message, /^verifying shop-1\.4\.tar: /);
  await failure(verify(''));
  await failure(verify('no signature at all\n'));
});

test('a signer who is not listed is refused and named by fingerprint', async () => {
  const signature = await signWithSshKey(data, stranger);
  const fingerprint = await sshSignatureFingerprint(data, signature, 'shop');
  const error = await failure(verify(signature));
  assert.ok(error.message.includes(fingerprint));
  assert.ok(error.message.includes(allowedSigners));
});

test('a key allowed for another namespace, or no longer allowed, is refused', async () => {
  const signature = await signWithSshKey(data, vendor);
  for (const option of ['namespaces="git"', 'valid-before="20200101"']) {
    const as = `release@vendor.example ${option}`;
    const signers = writeAllowedSigners(join(directory, 'narrow'), [{ key: vendor, as }]);
    await failure(verify(signature, { signers }));
  }
});

test('a key that is missing, public only, or has a passphrase is refused with advice', async () => {
  const secret = makeSshKey(directory, 'secret', { passphrase: 'correct horse' });
  for (const key of [join(directory, 'nowhere'), secret, join(directory, 'allowed')]) {
    const error = await failure(signWithSshKey(data, key));
    assert.ok(error.message.startsWith(`signing with ${key}: `));
    assert.match(error.advice ?? '', /ssh-add/);
  }
});

test('of a key with a passphrase it is told that it has one, not what was asked for it', async () => {
  const secret = makeSshKey(directory, 'locked', { passphrase: 'correct horse' });
  const { message } = await failure(signWithSshKey(data, secret));
  assert.is(message, `signing with ${secret}: it is protected by a passphrase`);
});

test('a missing file of allowed signers is told as such', async () => {
  const signature = await signWithSshKey(data, vendor);
  const missing = join(directory, 'nowhere');
  const { message } = await failure(verify(signature, { signers: missing }));
  assert.is(message, `reading the allowed signers ${missing}: there is no such file`);
});

test('what to do about a key that is not allowed depends on what it signed', async () => {
  for (const [namespace, advice] of [
    [signatureNamespaces.release, /^Get the file again/],
    [signatureNamespaces.snapshot, /^Add the key to the allowed signers/],
  ] as const) {
    const signature = await signWithSshKey(data, stranger, namespace);
    const refused = await failure(
      verifySshSignature(data, signature, { allowedSigners, what: 'it', namespace }),
    );
    assert.match(refused.message, 'does not allow');
    assert.match(refused.advice ?? '', advice);
  }
});

test.run();

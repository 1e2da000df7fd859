import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ed25519SignerOf } from '../../src/support/ssh-ed25519.ts';
import { sshKeyFingerprint } from '../../src/support/ssh-fingerprint.ts';
import {
  signatureNamespaces,
  signWithSshKey,
  sshSignatureFingerprint,
} from '../../src/support/ssh-signature.ts';
import { makeSshKey } from './ssh-keys.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const root = temporaryDirectory();
const key = makeSshKey(root, 'key');
const data = Buffer.from('a config\n');
const namespace = signatureNamespaces.snapshot;
const signature = await signWithSshKey(data, key, namespace);
const [begin = '', end = ''] = signature.match(/-----.*-----/g) ?? [];
const bytes = Buffer.from(signature.replace(/-----.*-----/g, ''), 'base64');
const armoured = (content: Uint8Array) => `${begin}\n${Buffer.from(content).toString('base64')}\n${end}\n`;

test('what ssh-keygen signed with an Ed25519 key is known without it', async () => {
  assert.is(ed25519SignerOf(data, signature, namespace), await sshKeyFingerprint(`${key}.pub`));
  assert.is(ed25519SignerOf(data, armoured(bytes), namespace), await sshKeyFingerprint(`${key}.pub`));
  const empty = await signWithSshKey('', key, namespace);
  assert.is(ed25519SignerOf('', empty, namespace), await sshKeyFingerprint(`${key}.pub`));
});

test('a signature of which any bit is another, or that is cut or longer, is not', () => {
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const spoilt = Buffer.from(bytes);
      spoilt[at]! ^= 1 << bit;
      assert.is(ed25519SignerOf(data, armoured(spoilt), namespace), undefined, `byte ${at}`);
    }
    assert.is(ed25519SignerOf(data, armoured(bytes.subarray(0, at)), namespace), undefined, `cut at ${at}`);
  }
  for (const more of [[0], [0, 0, 0, 0], [0, 0, 0, 1, 65]])
    assert.is(
      ed25519SignerOf(data, armoured(Buffer.concat([bytes, Buffer.from(more)])), namespace),
      undefined,
    );
});

test('nor is one of other data, for another purpose, or in other words', () => {
  assert.is(ed25519SignerOf('a config', signature, namespace), undefined);
  assert.is(ed25519SignerOf(data, signature, signatureNamespaces.release), undefined);
  for (const text of [
    '',
    begin,
    bytes.toString('base64'),
    `x${signature}`,
    `${signature}x`,
    signature.replace('\n', '\n*'),
  ])
    assert.is(ed25519SignerOf(data, text, namespace), undefined, text);
});

test('other kinds of keys are left to ssh-keygen', async () => {
  const other = makeSshKey(root, 'ecdsa', { type: 'ecdsa' });
  const made = await signWithSshKey(data, other, namespace);
  assert.is(ed25519SignerOf(data, made, namespace), undefined);
  const fingerprint = await sshSignatureFingerprint(data, made, 'it', namespace);
  assert.is(fingerprint, await sshKeyFingerprint(`${other}.pub`));
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  decodeIdentities,
  decodeRecipient,
  encodeIdentity,
  encodeRecipient,
  generateIdentity,
} from '../../../src/repository/age/keys.ts';
import { SignatureError, UsageError } from '../../../src/support/errors.ts';

const identity = generateIdentity();
const recipientText = encodeRecipient(identity);
const identityText = encodeIdentity(identity);

function refusedIdentities(text: string): string {
  let message = '';
  assert.throws(
    () => decodeIdentities(text, '/root/key'),
    (error: unknown) => {
      message = error instanceof SignatureError ? error.message : '';
      return message.startsWith('reading the private key from /root/key: ');
    },
  );
  return message;
}

test('keys come back from their text', () => {
  assert.match(recipientText, /^age1[02-9ac-hj-np-z]{58}$/);
  assert.match(identityText, /^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/);
  assert.equal(decodeRecipient(recipientText).publicKey, identity.publicKey);
  const [decoded] = decodeIdentities(identityText, 'key');
  assert.equal(Buffer.from(decoded?.secretKey ?? []), Buffer.from(identity.secretKey));
});

test('every key is a new one', () => {
  assert.is.not(encodeIdentity(generateIdentity()), encodeIdentity(generateIdentity()));
});

test('a recipient with a typing error, in the wrong case, or of another kind is refused', () => {
  const typo = recipientText.replace(/.$/, (last) => (last === 'q' ? 'p' : 'q'));
  const others = ['age1pq1qqqq', 'ssh-ed25519 AAAA', '', 'age1', ` ${recipientText}`, identityText];
  for (const text of [typo, recipientText.toUpperCase(), recipientText.slice(0, -1), ...others]) {
    assert.throws(
      () => decodeRecipient(text),
      (error: unknown) => error instanceof UsageError,
      text,
    );
  }
});

test('what is wrong with a recipient is told: a mistake, a key of a plugin, of another kind, or a private one', () => {
  const wrong: Record<string, string> = {
    [recipientText.slice(0, -1)]: 'it has a mistake: a character is wrong, missing or too many',
    [recipientText.toUpperCase()]: 'not an X25519 recipient',
    age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t: 'it is of the kind age1yubikey',
    age1pq1qqqq: 'it is of the kind age1pq',
    'ssh-ed25519 AAAA me': 'it is a key of SSH',
    [identityText]: 'it is a private key',
  };
  for (const [text, what] of Object.entries(wrong)) {
    assert.throws(
      () => decodeRecipient(text),
      (error: UsageError) => error.message.includes(what) && error.advice !== undefined,
      text,
    );
  }
});

test('an identity file may hold several keys, comments and blank lines', () => {
  const other = encodeIdentity(generateIdentity());
  const text = `# created: today\r\n\r\n${identityText}\r\n# old one\n${other}`;
  assert.equal(decodeIdentities(text, 'key').map(encodeIdentity), [identityText, other]);
});

test('an identity file with anything else is refused by line, without showing it', () => {
  const typo = identityText.replace(/.$/, (last) => (last === 'Q' ? 'P' : 'Q'));
  for (const line of [typo, identityText.toLowerCase(), 'AGE-PLUGIN-YUBIKEY-1QQ', recipientText]) {
    const message = refusedIdentities(`# a key\n${line}\n`);
    assert.ok(message.includes('line 2'));
    assert.not.ok(message.includes(line));
  }
  refusedIdentities('# only a comment\n');
});

test('a key typed from paper may be indented, and with a mistake in it is told to be that', () => {
  assert.equal(decodeIdentities(`  ${identityText}`, 'key').map(encodeIdentity), [identityText]);
  for (const mistyped of [identityText.slice(0, -1), `${identityText}Q`, identityText.toLowerCase()])
    assert.match(refusedIdentities(mistyped), 'line 1 is a private key with a mistake');
});

test('what is mistaken for an identity file is named, and a secret is never shown', () => {
  const mistakes: Record<string, string> = {
    'age-encryption.org/v1\n-> scrypt aaaa 18\n': 'it is encrypted itself',
    '-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n': 'it is encrypted itself',
    '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n': 'it is a key of SSH',
    'ssh-ed25519 AAAA root@host\n': 'it is a key of SSH',
    [recipientText]: 'line 1 is a recipient',
    'AGE-PLUGIN-YUBIKEY-1QQ': 'line 1 is an identity of a plugin',
  };
  for (const [text, what] of Object.entries(mistakes))
    assert.ok(refusedIdentities(text).includes(what), what);
  assert.equal(decodeIdentities(`${identityText} \t\n`, 'key').map(encodeIdentity), [identityText]);
  assert.throws(
    () => decodeRecipient(identityText),
    (error: Error) => !error.message.includes(identityText),
  );
});

test.run();

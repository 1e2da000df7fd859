import { chmodSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addRecipient, withRecipient } from '../../src/deployment/add-recipient.ts';
import { UsageError } from '../../src/support/errors.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const head = 'name: shop # the shop\nx-dockerctl:\n  release: "1"\n  backup:\n';
const tail = '    # where to\n    repository: /var/backup\nservices: {}\n';

test('the first recipient becomes a new key, every other byte stays', () => {
  assert.is(
    withRecipient(`${head}${tail}`, 'age1new'),
    `${head}    # where to\n    recipients: [age1new]\n    repository: /var/backup\nservices: {}\n`,
  );
});

test('a list in brackets grows at its end', () => {
  assert.is(
    withRecipient(`${head}    recipients: [age1old] # ours\n${tail}`, 'age1new'),
    `${head}    recipients: [age1old, age1new] # ours\n${tail}`,
  );
  assert.is(
    withRecipient(`${head}    recipients: []\n${tail}`, 'age1new'),
    `${head}    recipients: [age1new]\n${tail}`,
  );
});

test('a list of lines grows at its end, however it is indented', () => {
  for (const indent of ['    ', '      ', '        ']) {
    const list = `    recipients:\n${indent}- age1one # first\n${indent}- age1two # second\n`;
    assert.is(withRecipient(`${head}${list}${tail}`, 'age1new'), `${head}${list}${indent}- age1new\n${tail}`);
  }
});

test('a list at the very end of the file, without a newline, is no exception', () => {
  const text = 'x-dockerctl:\n  backup:\n    recipients:\n    - age1one';
  assert.is(withRecipient(text, 'age1new'), `${text}\n    - age1new`);
});

test('a map in braces gets its key in front', () => {
  assert.is(
    withRecipient('x-dockerctl: {backup: {repository: /r}}', 'age1new'),
    'x-dockerctl: {backup: {recipients: [age1new], repository: /r}}',
  );
});

test('what cannot be added to with certainty is left alone', () => {
  const anchor = 'base: &b {repository: /r}\nx-dockerctl: {backup: *b}\n';
  const nothing = ['name: shop\n', 'x-dockerctl: {}\n', 'x-dockerctl:\n  backup:\n'];
  const broken = [
    'x-dockerctl: [\n',
    `${head}    recipients: age1one\n${tail}`,
    `${head}    recipients: [age1a,]x\n`,
  ];
  for (const text of [anchor, ...nothing, ...broken])
    assert.is(withRecipient(text, 'age1new'), undefined, text);
});

test('the file keeps its mode, and a link to it stays a link', async () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'shop.yaml');
  const link = join(directory, 'dockerctl.yaml');
  writeFileSync(file, `${head}${tail}`);
  chmodSync(file, 0o640);
  symlinkSync(file, link);
  await addRecipient(link, 'age1new');
  assert.match(readFileSync(file, 'utf8'), /recipients: \[age1new\]/);
  assert.is(readFileSync(link, 'utf8'), readFileSync(file, 'utf8'));
  assert.is(statSync(file).mode & 0o777, 0o640);
});

test('a file that cannot be changed says how to do it by hand', async () => {
  const file = join(temporaryDirectory(), 'shop.yaml');
  writeFileSync(file, 'name: shop\n');
  const error: unknown = await addRecipient(file, 'age1new').catch((thrown: unknown) => thrown);
  assert.instance(error, UsageError);
  assert.match((error as UsageError).advice ?? '', /by hand.*recipients: \[age1new\]/);
  assert.is(readFileSync(file, 'utf8'), 'name: shop\n');
});

test.run();

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planBackup } from '../../src/backup/plan.ts';
import { readDeployment } from '../../src/deployment/read.ts';
import { encodeRecipient, generateIdentity } from '../../src/repository/age/keys.ts';
import { UsageError } from '../../src/support/errors.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

async function deploymentWith(backup: string) {
  const directory = join(temporaryDirectory(), 'etc');
  mkdirSync(directory, { mode: 0o700 });
  const file = join(directory, 'shop.yaml');
  writeFileSync(file, `name: shop\nx-dockerctl: {backup: {repository: /r, ${backup}}}\n`);
  return readDeployment(file, { environment: {} });
}

test('a source marked full is left out unless asked for, and the deployment file always goes along', async () => {
  const deployment = await deploymentWith('sources: {a: {paths: [/a]}, b: {paths: [/b], full: true}}');
  const names = (full: boolean) => planBackup(deployment, { full }).sources.map(({ name }) => name);
  assert.equal(names(false), ['deployment', 'a']);
  assert.equal(names(true), ['deployment', 'a', 'b']);
});

test('a backup for a recipient with a typing error is refused, not written in the clear', async () => {
  const recipient = encodeRecipient(generateIdentity());
  const planFor = async (text: string) => {
    const deployment = await deploymentWith(`recipients: [${text}], sources: {a: {paths: [/a]}}`);
    return planBackup(deployment, { full: false });
  };
  assert.equal((await planFor(recipient)).recipients, [recipient]);
  const mistyped = recipient.replace(/.$/, (last) => (last === 'q' ? 'p' : 'q'));
  const error: unknown = await planFor(mistyped).catch((thrown: unknown) => thrown);
  assert.instance(error, UsageError);
});

test.run();

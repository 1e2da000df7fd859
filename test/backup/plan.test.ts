import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planBackup } from '../../src/backup/plan.ts';
import { readDeployment } from '../../src/deployment/read.ts';
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

test('a backup that was to be encrypted is never written in the clear', async () => {
  const deployment = await deploymentWith('recipients: [age1abc], sources: {a: {paths: [/a]}}');
  assert.throws(
    () => planBackup(deployment, { full: false }),
    (error: unknown) => error instanceof UsageError && error.message.includes('cannot encrypt'),
  );
});

test.run();

import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createBackup } from '../../src/backup/create.ts';
import { chooseSigningKey, ownFingerprint } from '../../src/backup/signing-key.ts';
import { readDeployment } from '../../src/deployment/read.ts';
import { connectEngine } from '../../src/engine/connect.ts';
import { openOrCreateRepository } from '../../src/repository/open.ts';
import { provenanceOf } from '../../src/repository/signed/provenance.ts';
import { SignatureError } from '../../src/support/errors.ts';
import { rejects } from '../support/rejects.ts';
import { quietContext } from '../support/save-directory.ts';
import { makeSshKey, writeAllowedSigners } from '../support/ssh-keys.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const root = temporaryDirectory();
const warnings: string[] = [];
const context = quietContext(join(root, 'state'));
context.progress = { ...context.progress, warn: (message) => void warnings.push(message) };
const hostKey = makeSshKey(root, 'ssh_host_ed25519_key');
const nowhere = join(root, 'no-key');
const engine = connectEngine({ host: 'unix:///nonexistent/docker.sock' });
mkdirSync(join(root, 'data'));
writeFileSync(join(root, 'data', 'file'), 'content');

/** Backs up with these lines under `backup:`; tells why it is not signed, and by whom it is. */
async function save(key: string, lines = '', host = 'here') {
  const file = join(root, 'dockerctl.yaml');
  const text = `name: signed
x-dockerctl:
  backup:
    repository: ${root}/repository
    ${lines}
    sources: {data: {paths: [${root}/data]}}
`;
  writeFileSync(file, text, { mode: 0o600 });
  const deployment = await readDeployment(file, { environment: {} });
  const repository = await openOrCreateRepository(join(root, 'repository'), context);
  try {
    const options = { engine, repository, full: false, host, hostKey: key };
    const { snapshot, unsigned } = await createBackup(deployment, options, context);
    const own = await ownFingerprint(deployment.backup?.signingKey, hostKey);
    const { trust } = await provenanceOf(await repository.signedConfig(snapshot), { own }, 'it');
    return { unsigned, trust };
  } finally {
    await repository.close();
  }
}

test("snapshots are signed with the host's own key, or with the one that the deployment file names", async () => {
  assert.equal(await save(hostKey), { unsigned: undefined, trust: 'own' });
  assert.equal(await save(nowhere, `signing-key: ${makeSshKey(root, 'named')}`), {
    ...{ unsigned: undefined, trust: 'own' },
  });
});

test('a host without a key backs up, and says once that nobody can tell who did', async () => {
  assert.equal(await save(nowhere), { unsigned: 'this host has no SSH key', trust: 'foreign' });
  assert.equal(await save(nowhere), { unsigned: undefined, trust: 'foreign' });
  assert.equal((await save(hostKey)).trust, 'own');
  assert.is((await save(nowhere)).unsigned, 'this host has no SSH key');
});

test('a host that lost its key says so where cron mails it, and once', async () => {
  await save(hostKey);
  warnings.length = 0;
  await save(nowhere);
  assert.equal(warnings.splice(0), ['snapshots are signed no longer: this host has no SSH key']);
  await save(nowhere);
  assert.equal(warnings, []);
});

test('signers that do not know the key of this very host are told of now, not on the day of the restore', async () => {
  const named = (key: string) => writeAllowedSigners(join(root, 'signers'), [{ key, as: 'somebody' }]);
  warnings.length = 0;
  await save(hostKey);
  assert.match(warnings.splice(0).join(), 'not built on'); // The one before was not signed.
  await save(hostKey, `signers: ${named(hostKey)}`);
  assert.equal(warnings, []);
  await save(hostKey, `signers: ${named(makeSshKey(root, 'other'))}`);
  await save(nowhere, `signers: ${join(root, 'signers')}`);
  assert.is(warnings.length, 3);
  assert.match(warnings[2]!, 'signed no longer');
  assert.match(warnings[0]!, /^this snapshot could not be restored here: .*, whom .*signers does not allow$/);
  assert.match(warnings[1]!, 'it is not signed');
});

test('a backup that is made is no failure, though its signature cannot be checked', async () => {
  const { TMPDIR } = process.env;
  warnings.length = 0;
  process.env.TMPDIR = join(root, 'no-such-directory');
  try {
    await save(
      hostKey,
      `signers: ${writeAllowedSigners(join(root, 'signers'), [{ key: hostKey, as: 'me' }])}`,
    );
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  }
  assert.match(warnings.at(-1) ?? '', /^nobody knows whether this snapshot could be restored here: .*ENOENT/);
});

test('signing can be turned off, and then nothing is said', async () => {
  await save(hostKey);
  assert.equal(await save(hostKey, 'signing-key: none'), { unsigned: undefined, trust: 'foreign' });
});

test('a named key that cannot sign refuses the backup before anything is done', async () => {
  await rejects(() => save(hostKey, `signing-key: ${nowhere}`), SignatureError);
  const secret = makeSshKey(root, 'secret', { passphrase: 'correct horse' });
  await rejects(() => save(hostKey, `signing-key: ${secret}`), SignatureError);
});

test("a host's key that is no key is the same as none, with the reason", async () => {
  const spoilt = join(root, 'spoilt');
  writeFileSync(spoilt, 'no key');
  chmodSync(spoilt, 0o600);
  const { key, lacking } = await chooseSigningKey(undefined, spoilt);
  assert.is(key, undefined);
  assert.match(lacking ?? '', `signing with ${spoilt}: `);
});

test('how many snapshots are not built on is told as one says it', async () => {
  const of = async (...keys: string[]) => {
    for (const key of keys) await save(key);
    return warnings.splice(0).at(-1) ?? '';
  };
  const [first, second] = [makeSshKey(root, 'first'), makeSshKey(root, 'second')];
  await of(first, second, second);
  assert.match(await of(first), / is not built on \(nor is the one before it\):/);
  await of(second, second, second);
  assert.match(await of(first), / is not built on \(nor are the 2 before it\):/);
});

test('hosts that share a repository say nothing of each other, night by night', async () => {
  const hosts = [
    { host: 'one', key: makeSshKey(root, 'one') },
    { host: 'two', key: makeSshKey(root, 'two') },
  ];
  for (let night = 0; night < 2; night++) for (const { host, key } of hosts) await save(key, '', host);
  assert.equal(warnings.splice(0), []);
  await save(makeSshKey(root, 'new'), '', 'one');
  assert.match(
    warnings.splice(0).join(),
    / of one is not built on \(nor is the one before it\): it is not signed/,
  );
});

test('a host knows its own snapshots though nothing lies beside the key that it was told to sign with', async () => {
  const alone = makeSshKey(root, 'alone');
  const fingerprint = await ownFingerprint(alone);
  rmSync(`${alone}.pub`);
  assert.type(fingerprint, 'string');
  assert.is(await ownFingerprint(alone), fingerprint);
  assert.is(await ownFingerprint(nowhere), undefined);
});

test.run();

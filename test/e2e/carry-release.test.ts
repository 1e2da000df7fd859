/** A release on its way: saved and signed where it is made, carried in volumes, loaded where it is to run. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CliResult, runCli } from '../support/cli.ts';
import { deploymentFile } from '../support/deployment.ts';
import { type TestEngine, testEngine, throwawayEngine } from '../support/engine.ts';
import { dockerArchive, streamOf, uniqueName } from '../support/images.ts';
import { makeSshKey, writeAllowedSigners } from '../support/ssh-keys.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const directory = temporaryDirectory();
const media = join(directory, 'media');
mkdirSync(media);
const name = uniqueName('carry');
const [old, web, db] = [`${name}/web:1.3`, `${name}/web:1.4`, `${name}/db:1.4`];
const text = (of: string) => ({ [`${name}-${of}`]: `${of} ${name} `.repeat(4000) });
const images = [
  { references: [old], layers: [text('base'), text('libs'), text('old')] },
  { references: [web], layers: [text('base'), text('libs'), text('new')] },
  { references: [db], layers: [text('base'), text('data')] },
];

const vendor = await testEngine();
await vendor.engine.images.load(streamOf(await dockerArchive(images)));
test.after(async () => {
  for (const reference of [old, web, db]) await vendor.engine.images.remove(reference).catch(() => {});
});

const key = makeSshKey(directory, 'vendor');
const stranger = makeSshKey(directory, 'stranger');
const signers = writeAllowedSigners(join(directory, 'signers'), [{ key, as: 'release@vendor.example' }]);
const sbom = join(directory, 'shop.spdx.json');
writeFileSync(sbom, '{"spdxVersion": "SPDX-2.3"}');

/** Runs `dockerctl images …` on the host of an engine. */
function imagesOn({ socket }: TestEngine, host: string, file?: string) {
  const environment = {
    DOCKER_HOST: `unix://${socket}`,
    DOCKERCTL_STATE_DIR: join(directory, `state-${host}`),
    ...(file !== undefined && { DOCKERCTL_FILE: file }),
  };
  return (...args: string[]): Promise<CliResult> =>
    runCli(['images', ...args, '--yes'], { environment, workingDirectory: media });
}

const atVendor = imagesOn(vendor, 'vendor');
const strict = deploymentFile(
  `name: shop\nx-dockerctl: {release: "1.4", images: {signers: ${signers}}}\nservices:\n  web: {image: "${web}"}\n`,
);

async function done(result: Promise<CliResult>): Promise<string> {
  const { status, stdout, stderr } = await result;
  assert.is(status, 0, stderr);
  return stdout;
}

/** Everything the engine holds, to see that nothing changed. */
async function holdings({ engine }: TestEngine): Promise<string[]> {
  const all = await engine.images.list();
  return all.map(({ id, tags }) => `${id} ${tags.join(' ')}`).sort();
}

async function refused(
  site: TestEngine,
  status: number,
  pattern: RegExp | string,
  attempt: Promise<CliResult>,
) {
  const before = await holdings(site);
  const result = await attempt;
  assert.is(result.status, status, result.stderr);
  assert.match(result.stderr, pattern);
  assert.ok(result.stderr.trimEnd().split('\n').length <= 3, result.stderr);
  assert.equal(await holdings(site), before);
}

await done(atVendor('save', old, '--release', '1.3', '-o', 'base.tar.gz'));

for (const store of ['classic', 'containerd'] as const) {
  test(`${store} store: a signed delta in volumes is loaded where its base is, in any order`, async () => {
    const site = await throwawayEngine(store, { store });
    try {
      await carry(site, store);
    } finally {
      await site.stop();
    }
  });
}

async function carry(site: TestEngine, store: string): Promise<void> {
  const atSite = imagesOn(site, store);
  // The other store's volumes would be the very same ones: each has a disk of its own.
  mkdirSync(join(media, store));
  await done(atSite('load', 'base.tar.gz'));
  await done(atSite('receipt', '-o', `${store}.receipt`));
  const saved = JSON.parse(
    await done(
      atVendor(
        ...['save', web, db, '--release', '1.4', '--since', `${store}.receipt`, '--sign', key],
        ...['--attach', sbom, '-o', `${store}/shop.tar`, '--split', '64k', '--json'],
      ),
    ),
  );
  assert.equal(saved.document.base.release, '1.3');
  assert.is(saved.document.base.layers.length, 2);
  const files: string[] = saved.files;
  assert.ok(files.length >= 3);

  const atStrict = imagesOn(site, store, strict);
  const missing = `${files[1]}.hidden`;
  renameSync(files[1]!, missing);
  await refused(site, 10, /volume 2 of \d+ is missing/, atStrict('load', files[0]!, files[2]!));
  renameSync(missing, files[1]!);
  await done(atStrict('verify', files[0]!));
  await done(atStrict('load', `${store}/shop.tar`, '--dry-run'));
  await done(atStrict('load', ...files.toReversed()));
  for (const reference of [web, db]) {
    const [here, there] = [vendor, site].map(({ engine }) => engine.images.inspect(reference));
    assert.equal((await there)?.diffIds, (await here)?.diffIds);
  }
  const listed = JSON.parse(await done(atStrict('list', '--release', '1.4', '--json')));
  assert.is(listed[0].images.length, 2);
  const inspected = JSON.parse(await done(atStrict('inspect', files[2]!, '--json')))[0];
  assert.is(inspected.release, '1.4');
  assert.equal(
    inspected.attachments.map((attachment: { name: string }) => attachment.name),
    ['shop.spdx.json'],
  );
}

for (const store of ['classic', 'containerd'] as const) {
  test(`${store} store: what the deployment does not trust is refused before anything is loaded`, async () => {
    const site = await throwawayEngine('strict', { store });
    try {
      await refuseUntrusted(site, `strict-${store}`);
    } finally {
      await site.stop();
    }
  });
}

async function refuseUntrusted(site: TestEngine, host: string): Promise<void> {
  const atSite = imagesOn(site, host, strict);
  const save = ['save', web, db, '--release', '1.4', '-o'];
  await done(atVendor(...save, 'unsigned.tar'));
  await refused(site, 12, 'is not signed', atSite('load', 'unsigned.tar'));
  await done(atVendor(...save, 'first.tar.gz', '--sign', key));
  await refused(site, 12, 'is not signed', atSite('load', 'first.tar.gz', 'unsigned.tar'));
  await done(atVendor(...save, 'stranger.tar', '--sign', stranger));
  await refused(site, 12, 'does not allow', atSite('load', 'stranger.tar'));
  await done(atVendor(...save, 'signed.tar', '--sign', key));
  const signed = readFileSync(join(media, 'signed.tar'));
  writeFileSync(
    join(media, 'altered.tar'),
    signed.toString('latin1').replace('"release": "1.4"', '"release": "1.5"'),
    'latin1',
  );
  await refused(site, 12, 'does not match', atSite('load', 'altered.tar'));
  const foreign = await dockerArchive(images);
  writeFileSync(join(media, 'foreign.tar'), foreign);
  await refused(site, 12, 'is not signed', atSite('load', 'foreign.tar'));

  // An image more, which the signed document does not name, is not loaded; one less is a damaged bundle.
  const smuggled = join(media, `smuggled-${host}`);
  mkdirSync(smuggled);
  execFileSync('tar', ['-xf', join(media, 'signed.tar'), '-C', smuggled]);
  execFileSync('tar', ['-xf', '-', '-C', smuggled, '--exclude=manifest.json'], { input: foreign });
  const manifest = JSON.parse(readFileSync(join(smuggled, 'manifest.json'), 'utf8'));
  const more = JSON.parse(String(execFileSync('tar', ['-xOf', join(media, 'foreign.tar'), 'manifest.json'])));
  writeFileSync(join(smuggled, 'manifest.json'), JSON.stringify([...manifest, more[0]]));
  const index = JSON.parse(readFileSync(join(smuggled, 'index.json'), 'utf8'));
  assert.ok(index.manifests.length >= 2);
  execFileSync('tar', ['-cf', join(media, 'smuggled.tar'), '-C', smuggled, '.']);
  const attempt = await atSite('load', 'smuggled.tar');
  assert.ok(attempt.status === 0 || attempt.status === 14, attempt.stderr);
  assert.is(await site.engine.images.inspect(old), undefined);

  // A delta without its base.
  await done(atVendor('receipt', '-o', 'everything.receipt'));
  await done(atVendor(...save, 'delta.tar', '--since', 'everything.receipt', '--sign', key));
  for (const reference of [web, db])
    await site.engine.images.remove(reference, { force: true }).catch(() => {});
  await refused(site, 10, /delta/, atSite('load', 'delta.tar'));
  execFileSync('sh', ['-c', 'gzip -c delta.tar >delta.tar.gz'], { cwd: media });
  await refused(site, 10, /4 layers missing/, atSite('load', 'delta.tar.gz'));

  await done(atSite('load', 'signed.tar'));
}

test.run();

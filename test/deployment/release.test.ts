import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { errorOfText, readText } from '../support/deployment.ts';

const services = 'services:\n  web:\n    image: shop/web:${RELEASE}\n';

function withRelease(release: string): string {
  return `name: shop\nx-dockerctl:\n  release: ${release}\n${services}`;
}

test('a release that is written in the file replaces ${RELEASE}', async () => {
  const deployment = await readText(withRelease('"1.4"'));
  assert.is(deployment.release, '1.4');
  assert.is(deployment.services[0]?.image, 'shop/web:1.4');
});

test('a release argument goes before the file, and the file before the environment', async () => {
  const environment = { RELEASE: '9' };
  assert.is(
    (await readText(withRelease('"1.4"'), { release: '2.0', environment })).services[0]?.image,
    'shop/web:2.0',
  );
  assert.is((await readText(withRelease('"1.4"'), { environment })).services[0]?.image, 'shop/web:1.4');
});

test('a release is looked up in a YAML or JSON file, as it is written there', async () => {
  const text = withRelease('{file: version.yaml, key: VERSION.release}');
  const yaml = await readText(text, { others: { 'version.yaml': 'VERSION:\n  release: 6.10\n' } });
  assert.is(yaml.release, '6.10');
  const json = await readText(text, { others: { 'version.yaml': '{"VERSION": {"release": "6.1"}}' } });
  assert.is(json.release, '6.1');
});

test('variables may stand in a release', async () => {
  const deployment = await readText(withRelease('${MAJOR}.1'), { environment: { MAJOR: '3' } });
  assert.is(deployment.release, '3.1');
});

for (const [release, message] of [
  ['1.4', 'put 1.4 in quotes'],
  ['[a]', 'must be text, or a map'],
  ['{file: version.yaml}', 'must be text, or a map'],
  ['"a b"', 'is no release'],
  ['../x', 'is no release'],
  ['{file: none.yaml, key: a}', 'there is no release file'],
  ['{file: version.yaml, key: a.c}', 'has no key a.c'],
  ['{file: broken.yaml, key: a}', 'neither YAML nor JSON'],
] as const) {
  test(`the release ${release} is refused with its line`, async () => {
    const others = { 'version.yaml': 'a: {b: 1}\n', 'broken.yaml': 'a: [' };
    const error = await errorOfText(withRelease(release), { others });
    assert.match(error.message, message);
    assert.is(error.facts.line, 3);
  });
}

test('a file without a release names none', async () => {
  const deployment = await readText('name: shop\nservices: {web: {image: web}}\n');
  assert.is(deployment.release, undefined);
});

test('${RELEASE} in a file without a release is an error that says where to name one', async () => {
  const error = await errorOfText(`name: shop\n${services}`);
  assert.match(error.message, 'the variable RELEASE is not set');
  assert.match(error.advice ?? '', /^Name the release in x-dockerctl\.release or with --release; /);
  assert.match(error.advice ?? '', 'x-dockerctl.release');
});

test.run();

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readAttachments, sbomType } from '../../../src/releases/save/attachments.ts';
import { NotFoundError, UsageError } from '../../../src/support/errors.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const directory = temporaryDirectory();
const typeOf = (text: string) => sbomType(Buffer.from(text));

test('SBOMs are told by what is in them', () => {
  assert.is(typeOf('{"spdxVersion" : "SPDX-2.3", "name": "x"}'), 'application/spdx+json');
  assert.is(
    typeOf('\n{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}'),
    'application/spdx+json',
  );
  assert.is(typeOf('SPDXVersion: SPDX-2.2\nDataLicense: CC0-1.0\n'), 'text/spdx');
  assert.is(typeOf('{"bomFormat":"CycloneDX","specVersion":"1.6"}'), 'application/vnd.cyclonedx+json');
  assert.is(
    typeOf('<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.4"/>'),
    'application/vnd.cyclonedx+xml',
  );
  for (const text of ['', '{"a": 1}', '<html>', 'about SPDXVersion: SPDX-2.2', '\0\x01']) {
    assert.is(typeOf(text), 'application/octet-stream');
  }
});

test('two files of one name, a missing one, and a directory are refused', async () => {
  mkdirSync(join(directory, 'other'));
  const [a, b] = [join(directory, 'sbom.json'), join(directory, 'other', 'sbom.json')];
  writeFileSync(a, '{}');
  writeFileSync(b, '{}');
  const refused = async (paths: string[]) => await readAttachments(paths).catch((error: unknown) => error);
  assert.instance(await refused([a, b]), UsageError);
  assert.instance(await refused([a, join(directory, 'nowhere')]), NotFoundError);
  assert.instance(await refused([join(directory, 'other')]), UsageError);
});

test.run();

import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { deploymentJsonSchema } from '../../src/deployment/json-schema.ts';

interface Schema {
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  patternProperties?: Record<string, Schema>;
  anyOf?: Schema[];
  required?: string[];
  pattern?: string;
}

const schema = deploymentJsonSchema() as Schema;
const service = schema.properties?.services?.additionalProperties as Schema;

test('the published schema is the one that the reader follows', () => {
  const published = JSON.parse(readFileSync('docs/deployment.schema.json', 'utf8'));
  assert.equal(published, JSON.parse(JSON.stringify(schema)), 'run sh scripts/node scripts/schema.ts');
});

test('unknown keys are wrong, extension keys are not', () => {
  for (const closed of [schema, service]) {
    assert.is(closed.additionalProperties, false);
    assert.equal(Object.keys(closed.patternProperties ?? {}), ['^x-']);
  }
  const own = service.properties?.['x-dockerctl'];
  assert.is(own?.additionalProperties, false);
  assert.is(own?.patternProperties, undefined);
  assert.equal(service.required, ['image']);
});

test('a variable may stand where text of a certain form is wanted', () => {
  const forms = service.properties?.privileged?.anyOf?.flatMap((one) => one.anyOf ?? one) ?? [];
  assert.ok(
    forms.some(({ pattern }) => pattern === '\\$'),
    JSON.stringify(service.properties?.privileged),
  );
});

test.run();

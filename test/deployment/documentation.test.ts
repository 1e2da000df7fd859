import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { deploymentJsonSchema } from '../../src/deployment/json-schema.ts';
import { readText } from '../support/deployment.ts';

const text = readFileSync('docs/deployment-file.md', 'utf8');
const examples = [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');

test('every example of the document is a deployment file', async () => {
  assert.ok(examples.length >= 7);
  const others = { 'version.yaml': 'VERSION: {release: "6.1"}\n' };
  for (const example of examples) {
    await readText(example.replace('/etc/fuel/version.yaml', 'version.yaml'), { others });
  }
});

test('every key is told to users', () => {
  for (const key of keysOf(deploymentJsonSchema())) {
    assert.match(text, new RegExp(`\\b${key}\\b`), key);
  }
});

interface Schema {
  properties?: Record<string, unknown>;
}

function keysOf(schema: unknown): Set<string> {
  if (typeof schema !== 'object' || schema === null) return new Set();
  const own = Object.keys((schema as Schema).properties ?? {});
  return new Set([...own, ...Object.values(schema).flatMap((part) => [...keysOf(part)])]);
}

test.run();

import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DockerctlError, UsageError } from '../../src/support/errors.ts';
import { readText } from '../support/deployment.ts';
import fc from '../support/property.ts';

const document = readFileSync('docs/deployment-file.md', 'utf8');
const examples = [...document.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');
const service = readFileSync('test/deployment/every-key.yaml', 'utf8').replaceAll(/^/gm, '    ');
const files = [...examples, `name: shop\nservices:\n  web:\n    image: web\n${service}`];

const fragments = [
  '- ',
  ': ',
  '{',
  '}',
  '[',
  ']',
  '"',
  "'",
  '&a ',
  '*a',
  '<<: ',
  '$',
  '${',
  '\t',
  '\n',
  '#',
  'null',
  '-1',
  '1e999',
  '~',
  '__proto__: ',
  'x-',
  '|',
  '!!binary ',
  '? ',
];

/** One thing done to a line of the file: cut it out, double it, move it in, or write something into it. */
const mutation = fc.record({
  line: fc.nat(),
  kind: fc.constantFrom('cut', 'double', 'indent', 'insert', 'truncate'),
  at: fc.nat(),
  fragment: fc.constantFrom(...fragments),
});

function mutate(
  lines: string[],
  { line, kind, at, fragment }: { line: number; kind: string; at: number; fragment: string },
): string[] {
  const index = line % lines.length;
  const text = lines[index] ?? '';
  const column = at % (text.length + 1);
  const changed: Record<string, string[]> = {
    cut: [],
    double: [text, text],
    indent: [`  ${text}`],
    insert: [text.slice(0, column) + fragment + text.slice(column)],
    truncate: [text.slice(0, column)],
  };
  return lines.toSpliced(index, 1, ...(changed[kind] ?? []));
}

test('however a file is spoilt, it is read or refused in one line that names a place in it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...files),
      fc.array(mutation, { minLength: 1, maxLength: 4 }),
      async (file, mutations) => {
        const text = mutations
          .reduce((lines, one) => (lines.length > 0 ? mutate(lines, one) : lines), file.split('\n'))
          .join('\n');
        const error = await readText(text, { environment: { RELEASE: '1' } }).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if (error === undefined) return;
        if (!(error instanceof DockerctlError)) throw error;
        assert.instance(error, UsageError);
        assert.not.match(error.message, '\n');
        assert.type(error.facts.line, 'number');
        assert.ok(
          Number(error.facts.line) >= 1 && Number(error.facts.line) <= text.split('\n').length + 1,
          error.message,
        );
      },
    ),
    { numRuns: 800, seed: 20 },
  );
});

test.run();

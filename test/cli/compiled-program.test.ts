import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { launcherOptions } from '../../scripts/compile-program/launcher-options.ts';
import { compiledCode, compileProgram, loadProgram } from '../../src/cli/compiled-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const directory = temporaryDirectory();
const root = join(import.meta.dirname, '..', '..');
const built = join(root, 'dist');
const code = join(directory, compiledCode);
writeProgram('sum', 'a + b');

function writeProgram(name: string, sum: string): void {
  const lines = [
    '(function (exports, require, module, __filename, __dirname) {',
    `const { basename } = require('node:path');`,
    `function ${name}(a, b) { return ${sum}; }`,
    `exports.main = (a, b) => [${name}(a, b), basename(__filename), basename(__dirname) === basename(${JSON.stringify(directory)})];`,
    '})',
  ];
  writeFileSync(join(directory, 'program.cjs'), lines.join('\n'));
}

/** What the program answers, whether its compiled code was taken, and what it is compiled to then. */
function run() {
  const script = compileProgram(directory);
  const main = loadProgram(script, directory).main as unknown as (a: number, b: number) => unknown[];
  return { answer: main(2, 3), refused: script.cachedDataRejected, compiled: script.createCachedData() };
}

test('a program runs with the code that was compiled of it, and without', () => {
  const { answer, compiled } = run();
  assert.equal(answer, [5, 'program.cjs', true]);
  writeFileSync(code, compiled);
  const again = run();
  assert.equal(again.answer, answer);
  assert.is(again.refused, false);
});

test('code that is cut, empty, random or of another program is refused, and the program runs as ever', () => {
  const { compiled } = run();
  writeProgram('product', 'a * b + 1000');
  for (const other of [compiled, compiled.subarray(0, 100), Buffer.alloc(0), randomBytes(compiled.length)]) {
    writeFileSync(code, other);
    const { answer } = run();
    assert.equal(answer, [1006, 'program.cjs', true]);
  }
});

test('the code that the build leaves is taken under the options of the launcher, and only under those', () => {
  if (!existsSync(join(built, compiledCode))) return; // A working copy that was not built.
  const ask = `import { compileProgram } from ${JSON.stringify(join(root, 'src/cli/compiled-program.ts'))};
    console.log(compileProgram(${JSON.stringify(built)}).cachedDataRejected);`;
  const isRefused = (...given: string[]) =>
    execFileSync(process.execPath, [...given, '--input-type=module', '-e', ask], { encoding: 'utf8' }).trim();
  assert.is(isRefused(...launcherOptions()), 'false');
  assert.is(isRefused('--max-semi-space-size=7'), 'true');
});

test.run();

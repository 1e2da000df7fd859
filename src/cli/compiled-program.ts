import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';

type Program = typeof import('./main.ts');

/** What V8 made of the program, beside it. */
export const compiledCode = 'program.code';

/**
 * The built program in `directory`, with the compiled code that the build left there. The cache that node keeps by itself lacks all that
 * a program compiles only while it runs, so that every run would compile it anew. Another version of node, or other options for
 * it, refuse the code; then, or where there is none, the program is compiled as ever.
 */
export function compileProgram(directory: string): Script {
  const filename = fileOf(directory);
  const source = readFileSync(filename, 'latin1'); // esbuild writes ASCII.
  try {
    return new Script(source, { filename, cachedData: readFileSync(join(directory, compiledCode)) });
  } catch {
    return new Script(source, { filename });
  }
}

/** Runs it as node runs a CommonJS module: it is wrapped in the same function. */
export function loadProgram(script: Script, directory: string): Program {
  const filename = fileOf(directory);
  const module = { exports: {} };
  const run = script.runInThisContext() as (...parts: unknown[]) => void;
  run.call(module.exports, module.exports, createRequire(filename), module, filename, directory);
  return module.exports as Program;
}

function fileOf(directory: string): string {
  return join(directory, 'program.cjs');
}

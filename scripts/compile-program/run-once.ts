/**
 * Runs the built program in `dist/` with a command line, and keeps what V8 compiled of it there. Meant for a process
 * with the options of `bin/dockerctl`, for code that was compiled under others is refused: `scripts/compile-program.ts`
 * starts it so.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compiledCode, compileProgram, loadProgram } from '../../src/cli/compiled-program.ts';
import { optimizeFully } from '../../src/support/optimizing.ts';

const directory = join(import.meta.dirname, '..', '..', 'dist');
const script = compileProgram(directory);
const status = await loadProgram(script, directory).main({
  argv: process.argv.slice(2),
  environment: process.env,
  workingDirectory: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
});
optimizeFully(); // The code is refused under other flags than those that it was kept under, and a backup changes them.
if (status === 0) writeFileSync(join(directory, compiledCode), script.createCachedData());
process.exit(status);

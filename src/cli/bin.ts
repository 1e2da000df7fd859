import { enableCompileCache } from 'node:module';

enableCompileCache();
// A reader that went away (`dockerctl list | head -1`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
process.umask(0o077);
const { main } = await import('./main.ts');
process.exitCode = await main({
  argv: process.argv.slice(2),
  environment: process.env,
  workingDirectory: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
});
// Whatever a command left open (a pooled connection to the engine) must not keep the shell waiting.
process.stdout.write('', () => process.stderr.write('', () => process.exit()));

/**
 * Builds what is shipped into `dist/`: the command as one file, so that it starts quickly, and before it a small one that
 * prepares the process; the library; the entry of every worker thread (`src/<room>/…/worker.ts` becomes
 * `dist/<room>-worker.cjs`). Packages with native code stay outside, as files that node loads from `node_modules`.
 */
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

const shared: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node26',
  outdir: 'dist',
  external: ['koffi', 'lzma-native', 'cpu-features', '*.node'],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
};
const define = { DOCKERCTL_VERSION: JSON.stringify(version), DOCKERCTL_BUNDLED: 'true' };

/**
 * zod brings the messages of fifty languages, and takes JSON Schemas apart: a sixth of all that the command would load. We
 * use neither.
 */
const unusedOfZod: Plugin = {
  name: 'unused parts of zod',
  setup(build) {
    build.onResolve({ filter: /\/(locales\/index|from-json-schema)\.js$/ }, ({ path, importer }) =>
      importer.includes('/zod/') ? { path, namespace: 'unused' } : undefined,
    );
  },
};

/**
 * dockerode brings a gRPC server for BuildKit sessions and an ssh client that checks no host key. We use neither
 * (`src/engine/connection/ssh.ts` goes through the ssh program), and they are nine tenths of its bytes.
 */
const unused: Plugin = {
  name: 'unused parts of dockerode',
  setup(build) {
    build.onResolve({ filter: /^(ssh2|protobufjs|@grpc\/.*)$/ }, ({ path }) => ({
      path,
      namespace: 'unused',
    }));
    build.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/** The first file loads the second, which is built by itself, when it has done its part. */
const program: Plugin = {
  name: 'the program, in a file of its own',
  setup(build) {
    build.onResolve({ filter: /^\.\/main\.ts$/ }, ({ importer, resolveDir }) =>
      importer.endsWith('/bin.ts') ? { path: join(resolveDir, 'built-main.ts') } : undefined,
    );
  },
};

rmSync('dist', { recursive: true, force: true });
const workers = globSync('src/**/worker.ts').map((path) => {
  const room = path.split('/')[1] ?? '';
  return { in: path, out: `${room}-worker` };
});
// As CommonJS, so that a module's own imports are loaded with it and not all of them at the start: twice as quick.
const command: BuildOptions = {
  ...shared,
  plugins: [unused, unusedOfZod, program],
  format: 'cjs',
  supported: { 'dynamic-import': false }, // `require` instead: node's loader of ES modules need not start.
  outExtension: { '.js': '.cjs' },
  define: { ...define, 'import.meta.url': 'bundleUrl' },
};
const bundleUrl = "const bundleUrl = require('node:url').pathToFileURL(__filename).href;";
await build({
  ...command,
  entryPoints: [{ in: 'src/cli/bin.ts', out: 'dockerctl' }, ...workers],
  banner: { js: bundleUrl },
});
// Already wrapped as node wraps a CommonJS module, for `src/cli/compiled-program.ts`.
await build({
  ...command,
  entryPoints: [{ in: 'src/cli/main.ts', out: 'program' }],
  banner: { js: `(function (exports, require, module, __filename, __dirname) {${bundleUrl}` },
  footer: { js: '})' },
});
await build({
  ...shared,
  plugins: [unused],
  entryPoints: [{ in: 'src/index.ts', out: 'index' }],
  format: 'esm',
  define,
  // CommonJS packages inside still call require for node's own modules.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
});
execFileSync('tsc', ['-p', 'tsconfig.types.json'], { stdio: 'inherit' });
await import('./build-lzma.ts');
await import('./compile-program.ts');

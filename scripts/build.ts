/**
 * Builds what is shipped into `dist/`: the command as one file, so that it starts quickly; the library; the entry of
 * every worker thread (`src/<room>/…/worker.ts` becomes `dist/<room>-worker.js`). Packages with native code stay
 * outside, as files that node loads from `node_modules`.
 */
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, rmSync } from 'node:fs';
import { type BuildOptions, build } from 'esbuild';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

const shared: BuildOptions = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node26',
  outdir: 'dist',
  external: ['koffi', 'lzma-native', 'cpu-features', '*.node'],
  define: { DOCKERCTL_VERSION: JSON.stringify(version), DOCKERCTL_BUNDLED: 'true' },
  // CommonJS packages inside the bundle still call require for node's own modules.
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
};

rmSync('dist', { recursive: true, force: true });
const workers = globSync('src/**/worker.ts').map((path) => {
  const room = path.split('/')[1] ?? '';
  return { in: path, out: `${room}-worker` };
});
await build({ ...shared, entryPoints: [{ in: 'src/cli/bin.ts', out: 'dockerctl' }, ...workers] });
await build({ ...shared, entryPoints: [{ in: 'src/index.ts', out: 'index' }] });
execFileSync('tsc', ['-p', 'tsconfig.types.json'], { stdio: 'inherit' });

/** `npm run bench -- NAME [ARGS…]` runs `scripts/bench/NAME.ts`; without a name it lists them. */
import { globSync } from 'node:fs';
import { basename } from 'node:path';

const benches = globSync('scripts/bench/*.ts').map((path) => basename(path, '.ts'));
const name = process.argv[2];
if (name === undefined || !benches.includes(name)) {
  console.error(`usage: npm run bench -- ${benches.join(' | ')}`);
  process.exit(2);
}
process.argv.splice(2, 1);
await import(`./bench/${name}.ts`);

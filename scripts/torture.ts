/**
 * `npm run torture -- NAME [ARGS…]` runs `scripts/torture/NAME.ts`; without a name it lists them. They do at length what the
 * suite does in short.
 */
import { globSync } from 'node:fs';
import { basename } from 'node:path';

const names = globSync('scripts/torture/*.ts')
  .map((path) => basename(path, '.ts'))
  .sort();
const name = process.argv[2];
if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run torture -- ${names.join(' | ')}`);
  process.exit(2);
}
process.argv.splice(2, 1);
await import(`./torture/${name}.ts`);

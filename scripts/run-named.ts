import { globSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * Runs `scripts/ROOM/NAME.ts` for `npm run ROOM -- NAME [ARGS…]`, with ARGS for its arguments; without a name it lists
 * them.
 */
export async function runNamed(room: string): Promise<void> {
  const names = globSync(`scripts/${room}/*.ts`).map((path) => basename(path, '.ts'));
  const name = process.argv[2];
  if (name === undefined || !names.includes(name)) {
    console.error(`usage: npm run ${room} -- ${names.sort().join(' | ')}`);
    process.exit(2);
  }
  process.argv.splice(2, 1);
  await import(`./${room}/${name}.ts`);
}

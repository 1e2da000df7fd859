/** Builds the fixture images named, or all of them, into the cache: `sh scripts/node scripts/fixtures.ts postgres`. */
import { buildFixture, fixtureNames, unstableNames } from './fixtures/image.ts';

const wanted: readonly string[] = process.argv.length > 2 ? process.argv.slice(2) : fixtureNames;
for (const name of [...fixtureNames, ...unstableNames]) {
  if (!wanted.includes(name)) continue;
  const start = performance.now();
  await buildFixture(name);
  console.log(`${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

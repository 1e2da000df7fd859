import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type SaveTarget, writeTo } from '../../../src/releases/save/target.ts';
import { temporaryBeside } from '../../../src/support/durable.ts';
import { quietContext } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

async function* bytes(): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(100_000);
}

for (const kind of ['file', 'volumes'] as const) {
  test(`what a killed command left of ${kind} of this name goes once it is old, and nothing else`, async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'shop.tar');
    const left = (of: string, hours: number) => {
      const name = temporaryBeside(join(directory, of));
      writeFileSync(name, 'half');
      utimesSync(name, new Date(), new Date(Date.now() - hours * 3_600_000));
      return name;
    };
    left(kind === 'file' ? 'shop.tar' : 'shop.tar.001', 2);
    const kept = [left('shop.tar', 0.5), left('other.tar', 2)];
    const target: SaveTarget = kind === 'file' ? { kind, path } : { kind, path, limit: 64 << 10 };
    const { files } = await writeTo(target, bytes(), 'saving', quietContext(join(directory, 'state')));
    const there = readdirSync(directory).map((name) => join(directory, name));
    assert.equal(there.sort(), [...files, ...kept].sort());
  });
}

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ContentOptions, ReadableRepository } from '../../../src/repository/repository.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { advisedRepository } from '../../../src/restore/salvage/past-damage.ts';

test('whether pieces are lent or kept is passed on: those that are kept take the memory of their whole frames', async () => {
  const asked: (ContentOptions | undefined)[] = [];
  const repository = {
    async *content(_snapshot: unknown, _entry: unknown, options?: ContentOptions) {
      asked.push(options);
      yield new Uint8Array(1);
    },
  } as unknown as ReadableRepository;
  const content = advisedRepository({ repository, snapshot: {} as Snapshot }).content as (
    ...args: unknown[]
  ) => AsyncIterable<Uint8Array>;
  for await (const _ of content({}, {}, { lent: true }));
  for await (const _ of content({}, {}));
  assert.equal(asked, [{ lent: true }, undefined]);
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { fuzz } from './fixtures/fuzz.ts';
import { fuzzSubjects } from './fixtures/fuzz-subjects.ts';

test('600 mutated archives, volumes and indexes are read or refused, none crashes or hangs', async () => {
  const subjects = await fuzzSubjects(temporaryDirectory());
  const { refused, accepted } = await fuzz(subjects, { seed: 1, cases: 600 });
  assert.ok(refused > accepted, `${refused} refused, ${accepted} accepted`);
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { comparePaths } from '../../src/repository/entry.ts';

test('paths sort as a walk visits them: a directory, then what is in it, then what only begins like it', () => {
  const walked = ['.', '!', '-', 'a', 'a/b', 'a/b/c', 'a/\xff', 'a b', 'a!', 'a.b', 'b', '\xe9'];
  assert.equal([...walked].reverse().sort(comparePaths), walked);
});

test.run();

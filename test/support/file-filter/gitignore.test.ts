import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lastMatch, parsePatterns } from '../../../src/support/file-filter/gitignore.ts';
import fc from '../../support/property.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

function matches(lines: string | string[], path: string, isDirectory = false): boolean | undefined {
  return lastMatch(parsePatterns([lines].flat()), path, isDirectory);
}

test('a name without a slash matches at any depth, one with a slash from the root', () => {
  assert.is(matches('log', 'log'), true);
  assert.is(matches('log', 'a/b/log'), true);
  assert.is(matches('/log', 'a/log'), undefined);
  assert.is(matches('a/log', 'a/log'), true);
  assert.is(matches('a/log', 'b/a/log'), undefined);
  assert.is(matches('log', 'logs'), undefined);
});

test('a trailing slash matches directories only', () => {
  assert.is(matches('cache/', 'a/cache', true), true);
  assert.is(matches('cache/', 'a/cache', false), undefined);
});

test('stars stay inside a name, double stars do not', () => {
  assert.is(matches('a/*/c', 'a/b/c'), true);
  assert.is(matches('a/*/c', 'a/b/b/c'), undefined);
  assert.is(matches('a/**/c', 'a/c'), true);
  assert.is(matches('a/**/c', 'a/b/b/c'), true);
  assert.is(matches('a/**', 'a'), undefined);
  assert.is(matches('a/**', 'a/b/c'), true);
  assert.is(matches('**/a', 'x/y/a'), true);
  assert.is(matches('a**c', 'a/c'), undefined);
});

test('many stars match what they match one by one, and no name keeps them busy', () => {
  const few = fc.constantFrom('a', 'b', '*', '?', '[ab]');
  const glob = fc.array(few, { maxLength: 12 }).map((parts) => parts.join(''));
  const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(glob, name, (pattern, path) => {
      const plain = pattern.replaceAll('*', '.*').replaceAll('?', '.');
      fc.pre(pattern !== '' && !/^\*\*+$/.test(pattern));
      assert.is(matches(pattern, path) ?? false, new RegExp(`^${plain}$`).test(path), `${pattern} ${path}`);
    }),
    { numRuns: 2000 },
  );
  assert.is(matches('*-*-*-*-*-*.log', '-'.repeat(250)), undefined);
  assert.is(matches('*-*-*-*-*-*.log', `${'-'.repeat(240)}.log`), true);
  assert.is(matches('*-*-*-*/*-*-*-*x', `${'-'.repeat(250)}/${'-'.repeat(250)}`), undefined);
});

test('the last pattern that matches decides', () => {
  assert.is(matches(['*.log', '!keep.log'], 'keep.log'), false);
  assert.is(matches(['!keep.log', '*.log'], 'keep.log'), true);
});

test('comments, blank lines and trailing spaces mean nothing, escaped ones do', () => {
  assert.is(matches(['# a', '', '   '], '# a'), undefined);
  assert.is(matches('\\# a', '# a'), true);
  assert.is(matches('\\!a', '!a'), true);
  assert.is(matches('a  ', 'a'), true);
  assert.is(matches('a\\ ', 'a '), true);
});

test('characters that mean something to a regular expression are themselves', () => {
  assert.is(matches('a.(b)+', 'a.(b)+'), true);
  assert.is(matches('a.b', 'axb'), undefined);
  assert.is(matches('*', 'line\nbreak'), true);
});

test('names are bytes', () => {
  const name = Buffer.from('été').toString('latin1');
  assert.is(matches('été', name), true);
  assert.is(matches('??t??', name), true);
  assert.is(matches('*t*', '\xfft\xfe'), true);
});

test('whatever the patterns, git says the same', () => {
  const repository = temporaryDirectory();
  const git = (args: string[], input?: string) =>
    spawnSync('git', ['-C', repository, ...args], {
      encoding: 'latin1',
      env: {
        PATH: process.env.PATH,
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_CONFIG_SYSTEM: '/dev/null',
        HOME: repository,
      },
      ...(input !== undefined && { input }),
    });
  git(['init', '-q']);
  const part = fc.constantFrom(
    'a',
    'b',
    '*',
    '**',
    '?',
    '[ab]',
    '[!a]',
    '[a-',
    '\\*',
    'a*',
    '.',
    '[[:alpha:]]',
    '[]a]',
  );
  const pattern = fc
    .tuple(
      fc.constantFrom('', '!'),
      fc.constantFrom('', '/'),
      fc.array(fc.array(part, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
      fc.constantFrom('', '/'),
    )
    .map(
      ([negation, anchor, parts, end]) =>
        negation + anchor + parts.map((names) => names.join('')).join('/') + end,
    );
  const name = fc
    .array(fc.constantFrom('a', 'b', '.a', '*', 'c', ']'), { minLength: 1, maxLength: 2 })
    .map((parts) => parts.join(''));
  const paths = fc.uniqueArray(
    fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
    { minLength: 5, maxLength: 20 },
  );
  fc.assert(
    fc.property(fc.array(pattern, { minLength: 1, maxLength: 3 }), paths, (lines, candidates) => {
      writeFileSync(join(repository, '.gitignore'), lines.join('\n'));
      const { stdout } = git(['check-ignore', '--no-index', '--stdin', '-z'], candidates.join('\0'));
      const ignored = stdout.split('\0').filter((path) => path !== '');
      assert.equal(
        candidates.filter((path) => isIgnored(lines, path)).sort(),
        ignored.sort(),
        lines.join('\n'),
      );
    }),
    { numRuns: 150, seed: 7 },
  );
});

/**
 * As git does it: an ignored directory takes everything inside with it. None of the paths exists, so the last is no
 * directory.
 */
function isIgnored(lines: string[], path: string): boolean {
  const patterns = parsePatterns(lines);
  const parts = path.split('/');
  return parts.some(
    (_, i) => lastMatch(patterns, parts.slice(0, i + 1).join('/'), i < parts.length - 1) === true,
  );
}

test.run();

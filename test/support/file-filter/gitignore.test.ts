import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
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

test('many double stars find what they find one by one, and no depth keeps them busy', () => {
  const deep = 'a/'.repeat(2000);
  assert.is(matches('**/a/**/a/**/*a*/**/a/**/b', `${deep}c`), undefined);
  assert.is(matches('**/a/**/a/**/*a*/**/a/**/b', `${deep}c/b`), true);
  assert.is(matches('x/**/**/b/c/**/d/**', 'x/b/b/c/d/e'), true);
  assert.is(matches('x/**/b/c/**/d/**', 'x/b/c/b/d'), undefined);
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
  assert.is(matches('a\\  ', 'a '), true);
  assert.is(matches('a\\\\ ', 'a\\'), true);
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

test('a set may hold a slash, which it does not match, and a range that ends before it begins is its beginning', () => {
  assert.is(matches('[^/]*.log', 'a.log'), true);
  assert.is(matches('a[!/]b', 'a/b'), undefined);
  assert.is(matches('[c-a]', 'c'), true);
  assert.is(matches('[c-a]', 'b'), undefined);
});

test('what is no pattern matches nothing', () => {
  for (const line of ['a\\', '[a', '[]', '[!]', '[a-', '[[:constructor:]]', '[[:a b:]x:]]', '/'])
    for (const path of ['a', 'a\\', '[a', '[]', 'f', ']', 'x]'])
      assert.is(matches(line, path), undefined, `${line} ${path}`);
});

test('whatever the patterns, git says the same', () => {
  const cases = fc.sample(fc.array(line, { minLength: 1, maxLength: 3 }).chain(linesAndPaths), 3000);
  const ignored = ignoredByGit(cases);
  assert.ok(ignored.size > 1000);
  for (const [i, { lines, paths }] of cases.entries()) {
    for (const path of paths) {
      const message = `${JSON.stringify(lines)} ${JSON.stringify(path)}`;
      assert.is(isIgnored(lines, path), ignored.has(`${i}/${path}`), message);
    }
  }
});

const classes = 'alnum alpha blank cntrl digit graph lower print punct space upper xdigit no'.split(' ');
const literals = String.raw`a b A 1 - ] ! ^ . # : é _ + ( $ | { ~ \* \[ \\ \a`.split(' ');
const sets = '[ab] [!a] [^b] [a-c] [c-a] [+-9] [a-] [-a] [a-c-e] [--0] []a] [!]a] [!!] [[] [é] [!/] [/a]';
const oddSets = String.raw`[\]a] [a\-c] [a-\c] [a-[:digit:]] [[: [] [!] [a- [ [\ `;
const pieces = ['?', '*', '*', '/', '/', '/**/', String.raw`\/`, '\\', ' ', '\\ ', '[[:a b:]]']
  .concat(literals, sets.split(' '), oddSets.split(' '))
  .concat(classes.map((name) => `[[:${name}:]]`));

/** Git takes two stars behind a literal beginning for stars between slashes, which its own manual denies. */
const line = fc
  .tuple(
    fc.constantFrom('', '', '!', '**/', '/'),
    fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 5 }),
    fc.constantFrom('', '', '/', '/**', ' ', '  '),
  )
  .map(([begin, between, end]) => begin + between.join('').replaceAll(/(?<=[^/*])\*\*+/g, '*') + end);

const characters = 'aabbcdAZ09/-]![^_ .#:+($|{~*\\\t\x01\n\xc3\xa9\xff'.split('');

/** Half of the paths are odd names, half are what a pattern might stand for. */
function linesAndPaths(lines: string[]): fc.Arbitrary<{ lines: string[]; paths: string[] }> {
  const character = fc.constantFrom(...characters);
  const name = fc.array(character, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
  const meant = fc.tuple(fc.constantFrom(...lines), fc.array(character, { minLength: 8, maxLength: 8 }));
  const like = meant.map(([said, drawn]) =>
    Buffer.from(said.replace(/^!|\\(?=.)/, ''))
      .toString('latin1')
      .replace(/\[!?\]?.*?\]+|[*?]+/g, () => drawn.pop() ?? ''),
  );
  const path = fc
    .oneof(name, like)
    .map((said) => said.replace(/\/+/g, '/').replace(/^\/|\/$/g, ''))
    .filter((said) => said.split('/').every((part) => !['', '.', '..'].includes(part)));
  return fc.uniqueArray(path, { minLength: 10, maxLength: 20 }).map((paths) => ({ lines, paths }));
}

/** Each case in a directory of its own, by its number. */
function ignoredByGit(cases: { lines: string[]; paths: string[] }[]): Set<string> {
  const repository = temporaryDirectory();
  const none = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', HOME: repository };
  const git = (args: string[], input = '') =>
    spawnSync('git', ['-C', repository, ...args], {
      input: Buffer.from(input, 'latin1'),
      encoding: 'latin1',
      maxBuffer: 2 ** 28,
      env: { PATH: process.env.PATH, ...none },
    });
  git(['init', '-q']);
  for (const [i, { lines }] of cases.entries()) {
    mkdirSync(join(repository, `${i}`));
    writeFileSync(join(repository, `${i}`, '.gitignore'), `${lines.join('\n')}\n`);
  }
  const paths = cases.flatMap((one, i) => one.paths.map((path) => `${i}/${path}`));
  const { stdout } = git(['check-ignore', '--no-index', '--stdin', '-z'], paths.join('\0'));
  return new Set(stdout.split('\0'));
}

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

import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addCommands } from '../src/cli/commands/all.ts';
import { describeCommands } from '../src/cli/completion/describe.ts';
import { runCli } from './support/cli.ts';

const pages = new Map(
  ['README.md', ...globSync('docs/*.md')].map((path) => [path, readFileSync(path, 'utf8')] as const),
);

test('every link leads to a page that is there, and to a heading of it', () => {
  let links = 0;
  for (const [page, text] of pages) {
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = '', heading] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      assert.ok(existsSync(file), `${page}: ${target}`);
      if (heading !== undefined) assert.ok(headingsOf(file).includes(heading), `${page}: ${target}`);
      links++;
    }
  }
  assert.ok(links > 0);
});

function headingsOf(page: string): string[] {
  const headings = readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm);
  return Array.from(headings, ([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test('every file and directory of ours that a page names is there', () => {
  const roots = globSync(['*/', 'src/*/']).map((path) => path.split('/').at(-1));
  let paths = 0;
  for (const [page, text] of pages) {
    for (const [, path = ''] of text.matchAll(/`([\w.-]+\/[\w./-]*)`/g)) {
      if (!roots.includes(path.split('/')[0]) || /[A-Z]{2}/.test(path)) continue;
      assert.ok(existsSync(path) || existsSync(join('src', path)), `${page}: ${path}`);
      paths++;
    }
  }
  assert.ok(paths > 10);
});

test('every command that a page tells of exists, with its options', async () => {
  const everywhere = optionsIn((await runCli(['--help'])).stdout);
  const program = new Command('dockerctl').enablePositionalOptions();
  addCommands(program, () => async () => {});
  const options = new Map(
    describeCommands(program).map(
      (command) => [command.path.join(' '), command.options.flatMap(({ names }) => names)] as const,
    ),
  );
  let seen = 0;
  for (const [page, text] of pages) {
    for (const line of commandsIn(text, [...options.keys()])) {
      const words = line.split(' ');
      let path = words[0] ?? '';
      for (const word of words.slice(1)) if (options.has(`${path} ${word}`)) path += ` ${word}`;
      assert.ok(path.startsWith('-') || options.has(path), `${page}: ${line}`);
      // Of `backup` itself the options are those of `backup create`.
      const known = [...everywhere, ...(options.get(path) ?? []), ...(options.get(`${path} create`) ?? [])];
      for (const option of optionsIn(line)) assert.ok(known.includes(option), `${page}: ${line}: ${option}`);
      seen++;
    }
  }
  assert.ok(seen > 100, String(seen));
});

function optionsIn(text: string): string[] {
  return text.match(/(?<=[ [,]|^)--?[a-zA-Z][\w-]*/g) ?? [];
}

/** What stands in code and is for dockerctl, with its name or without, up to what a shell would not give to it. */
function commandsIn(text: string, commands: readonly string[]): string[] {
  const inBlocks = [...text.matchAll(/^```\w*\n(.*?)^```/gms)].flatMap(([, block = '']) => block.split('\n'));
  const named = inBlocks.map((line) => line.trim().replace(/^(\$ |sudo )/, ''));
  const inLines = text.replace(/^```.*?^```/gms, '').matchAll(/`([^`\n]+)`/g);
  for (const [, code = ''] of inLines) {
    const [first = '', ...others] = code.split(' ');
    named.push(others.length > 0 && commands.includes(first) ? `dockerctl ${code}` : code);
  }
  return named
    .filter((line) => /^dockerctl (?!volume \d)[a-z-]/.test(line)) // The magic of a volume is no command.
    .map((line) => line.replace(/^dockerctl /, '').split(/ ?[|#>;&]| -- /)[0] ?? '');
}

test.run();

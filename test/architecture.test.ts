import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize, relative } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

/** Which rooms a room may import from, besides itself. Downward only. */
const mayImport: Record<string, readonly string[]> = {
  support: [],
  oci: ['support'],
  deployment: ['support'],
  engine: ['support'],
  archive: ['oci', 'support'],
  repository: ['archive', 'oci', 'support'],
  host: ['engine', 'deployment', 'support'],
  databases: ['engine', 'deployment', 'support'],
  releases: ['archive', 'oci', 'engine', 'deployment', 'support'],
  lifecycle: ['releases', 'host', 'engine', 'deployment', 'support'],
  backup: ['releases', 'databases', 'repository', 'engine', 'deployment', 'support'],
  restore: ['lifecycle', 'releases', 'databases', 'repository', 'engine', 'deployment', 'support'],
};
mayImport.cli = Object.keys(mayImport);

/** Packages that one room alone may touch. */
const packageRooms: Record<string, readonly string[]> = {
  dockerode: ['engine'],
  koffi: ['support'],
  commander: ['cli'],
  'cli-progress': ['cli'],
  'lzma-native': ['archive'],
  'check-disk-space': ['support'],
  '@scure/base': ['support'],
  'tar-stream': ['lifecycle', 'backup', 'support'],
  yaml: ['deployment'],
};

interface Import {
  file: string;
  room: string;
  specifier: string;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  const room = relative('src', file).split('/')[0] ?? '';
  const pattern = /(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+|new URL\(\s*)['"]([^'"]+)['"]/g;
  return [...text.matchAll(pattern)].map((match) => ({ file, room, specifier: match[1] ?? '' }));
}

const imports = globSync('src/**/*.ts').flatMap(importsOf);
const relativeImports = imports.filter(({ specifier }) => specifier.startsWith('.'));
const packageImports = imports.filter(({ specifier }) => /^[@a-z]/.test(specifier));

test('every import between rooms runs downward', () => {
  assert.ok(relativeImports.length > 0);
  for (const { file, room, specifier } of relativeImports) {
    if (room === 'index.ts') continue;
    const target = relative('src', normalize(join(dirname(file), specifier))).split('/')[0] ?? '';
    if (target === room) continue;
    assert.ok(
      mayImport[room]?.includes(target),
      `${file} imports ${specifier}: ${room} may not import ${target}`,
    );
  }
});

test('a package that belongs to one room is imported there only', () => {
  for (const { file, room, specifier } of packageImports) {
    const owners = packageRooms[specifier];
    assert.ok(owners === undefined || owners.includes(room), `${file} imports ${specifier}`);
  }
});

test('koffi is imported in support/posix only', () => {
  for (const { file, specifier } of packageImports) {
    if (specifier === 'koffi') assert.match(file, /^src\/support\/posix\//);
  }
});

/** Within a thread, ending is ending the thread. */
const thread = 'src/repository/ingest/worker.ts';

test('only the command line touches argv, the standard streams and the exit code', () => {
  const forbidden =
    /\bprocess\.(argv|stdin|stdout|stderr|exit|exitCode|on\(['"]SIG\w+)\b|\bconsole\.|from 'node:(process|tty|readline)/;
  for (const file of globSync('src/**/*.ts')) {
    if (file.startsWith('src/cli/')) continue;
    const text = readFileSync(file, 'utf8');
    assert.not.match(file === thread ? text.replace('process.exit()', '') : text, forbidden, file);
  }
});

/** Who may, and why. */
const readsTheWorld: Record<string, string> = {
  'src/support/child.ts': 'a child inherits the environment, also where something is added to it',
  'src/archive/xz/lzma.ts': 'a variable is how the package is told where its binary lies',
};

test('what time it is and what the environment says is passed in', () => {
  const forbidden = /\bDate\.now\(|\bnew Date\(\)|\bprocess\.env\b/;
  const found = globSync('src/**/*.ts').filter(
    (file) => !file.startsWith('src/cli/') && forbidden.test(readFileSync(file, 'utf8')),
  );
  assert.equal(found.sort(), Object.keys(readsTheWorld).sort());
});

test('the rooms, and what is in them, are those that the page on architecture shows', () => {
  const shown = roomsShown(readFileSync('docs/architecture.md', 'utf8'));
  const rooms = globSync('src/*/').map((path) => basename(path));
  assert.equal([...shown.keys()].sort(), rooms.sort());
  for (const room of rooms) {
    assert.ok(mayImport[room] !== undefined, `${room} has no rule`);
    const inside = globSync(`src/${room}/*/`).map((path) => basename(path));
    assert.equal(shown.get(room)?.sort(), inside.sort(), room);
  }
});

/** The rooms of `src/` in the tree on the page, each with those in it. */
function roomsShown(page: string): Map<string, string[]> {
  const tree = page.slice(page.indexOf('src/\n'), page.indexOf('\ntest/'));
  const rooms = tree.split(/^ {2}(?=\S)/m).slice(1);
  return new Map(
    rooms
      .filter((text) => /^\w+\/ /.test(text))
      .map((text) => {
        const [first = '', ...lines] = text.split('\n');
        const inside = lines.flatMap((line) => line.match(/(?<= )[\w-]+(?=\/( |$))/g) ?? []);
        return [first.split('/')[0] ?? '', inside] as const;
      }),
  );
}

test('every package the product imports is recorded as a dependency, with its reason', () => {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const reasons = readFileSync('docs/dependencies.md', 'utf8');
  for (const { file, specifier } of packageImports) {
    if (specifier.startsWith('node:')) continue;
    const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
    assert.ok(name in dependencies, `${file} imports ${name}, which is no dependency`);
  }
  for (const name of Object.keys(dependencies)) assert.match(reasons, `\`${name}\``);
});

test.run();

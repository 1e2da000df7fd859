import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = temporaryDirectory();

/** What a process says, and how it ends, that may have so many files open and saves `source`. */
function backUp(source: string, openFiles: number): string {
  const file = join(root, 'deployment.yaml');
  const backup = {
    repository: join(root, 'repository'),
    'signing-key': 'none',
    sources: { files: { title: 'Files', paths: [source] } },
  };
  writeFileSync(file, JSON.stringify({ name: 'deep', 'x-dockerctl': { backup } }));
  const command = `ulimit -n ${openFiles}; "$0" src/cli/bin.ts -f "$1" --state-dir "$2" backup 2>&1; echo "exit $?"`;
  const argv = ['-c', command, process.execPath, file, join(root, 'state')];
  return execFileSync('sh', argv, { encoding: 'utf8' });
}

test('of a tree that is deeper than files may be open as much is saved as leaves room for all else', () => {
  const source = join(root, 'source');
  mkdirSync(`${source}${'/d'.repeat(1000)}`, { recursive: true });
  const said = backUp(source, 900);
  const [, unread = ''] = /source((?:\/d)+): cannot be read \(EMFILE\)/.exec(said) ?? [];
  assert.is(unread.length / '/d'.length, 300, said);
  assert.match(said, 'exit 3');
});

test.run();

import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openOrCreateRepository } from '../../../../src/repository/open.ts';
import { setXattr } from '../../../../src/support/posix/xattrs.ts';
import { runCli } from '../../../support/cli.ts';
import { quietContext } from '../../../support/save-directory.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const home = temporaryDirectory();
const data = join(home, 'data');
const environment = {
  DOCKERCTL_FILE: join(home, 'dockerctl.yaml'),
  DOCKERCTL_STATE_DIR: join(home, 'state'),
};
const backup = (...argv: string[]) => runCli(['backup', ...argv], { environment });

mkdirSync(join(data, 'sub'), { recursive: true, mode: 0o755 });
writeFileSync(
  join(home, 'dockerctl.yaml'),
  `name: host
x-dockerctl: {backup: {repository: ${home}/repository, sources: {data: {title: The data, paths: [${data}]}}}}
`,
  { mode: 0o600 },
);
writeFileSync(join(data, 'a.txt'), 'one\n');
chmodSync(join(data, 'a.txt'), 0o4750);
linkSync(join(data, 'a.txt'), join(data, 'b.txt'));
symlinkSync('a.txt', join(data, 'link'));
const sparse = openSync(join(data, 'sparse'), 'w');
writeSync(sparse, 'begin', 0);
writeSync(sparse, 'end', 300_000);
ftruncateSync(sparse, 500_000);
closeSync(sparse);
writeFileSync(join(data, 'sub', 'touched'), 'same');
writeFileSync(join(data, 'sub', 'gone'), '');
assert.is((await backup()).status, 0);
const [{ id: first }] = JSON.parse((await backup('list', '--json')).stdout);

rmSync(join(data, 'sub', 'gone'));
chownSync(join(data, 'sub', 'touched'), 7, 8);
chmodSync(join(data, 'sub', 'touched'), 0o2755);
setXattr(join(data, 'sub', 'touched'), 'user.colour', Buffer.from('red'));
utimesSync(join(data, 'sub', 'touched'), 1, 1);
rmSync(join(data, 'link'));
mkdirSync(join(data, 'link'));
writeFileSync(join(data, 'new'), 'new');
writeFileSync(join(data, 'a.txt'), 'two\n');
assert.is((await backup()).status, 0);

test('ls names every file as it is called on the host, and the deployment file by its source', async () => {
  const { stdout } = await backup('ls', first);
  assert.equal(stdout.trim().split('\n'), [
    'deployment:deployment.yaml',
    data,
    ...['a.txt', 'b.txt', 'link', 'sparse', 'sub', 'sub/gone', 'sub/touched'].map((name) => join(data, name)),
  ]);
});

test('ls of a place lists what is there and below', async () => {
  const below = [join(data, 'sub'), join(data, 'sub/gone'), join(data, 'sub/touched')];
  assert.equal((await backup('ls', first, join(data, 'sub/'))).stdout.trim().split('\n'), below);
  assert.equal((await backup('ls', first, `data:${data}/sub`)).stdout.trim().split('\n'), below);
  assert.is((await backup('ls', first, 'nosource:x')).status, 10);
});

test('ls of a place that is not there says so', async () => {
  for (const format of [[], ['--json']]) {
    const { status, stdout, stderr } = await backup('ls', first, '/nowhere', ...format);
    assert.is(status, 10);
    assert.is(stdout, '');
    assert.match(stderr, 'there is no such file');
  }
});

test('ls -l tells mode, owner, size and where a link points', async () => {
  const { stdout } = await backup('ls', '-l', first, join(data, 'a.txt'));
  assert.match(stdout, /^-rwsr-x--- +0:0 +4 \d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}\/.*\/a\.txt\n$/);
  assert.match((await backup('ls', '-l', first, join(data, 'link'))).stdout, /^l.*\/link -> a\.txt\n$/);
});

test('a time that no calendar counts is told in seconds', async () => {
  const repository = await openOrCreateRepository(join(home, 'far'), quietContext(join(home, 'state')));
  const about = { host: 'here', deployment: 'host', release: undefined };
  const run = await repository.beginRun(about, quietContext(join(home, 'state')));
  const writer = await run.beginSource({ name: 'data', title: 'Data', kind: 'volume', origin: {} });
  const mtime = 9_223_372_036_854_775_807_000_000_000n;
  await writer.add({ path: 'far', type: 'fifo', mode: 0o644, uid: 0, gid: 0, mtime });
  await writer.end();
  await run.commit();
  await repository.close();
  const { stdout } = await backup('ls', '-l', 'latest', '-r', join(home, 'far'));
  assert.match(stdout, / @9223372036854775807 {2}data:far\n/);
});

test('ls --json is one document', async () => {
  const files = JSON.parse((await backup('ls', first, 'deployment', '--json')).stdout);
  assert.equal(
    files.map(({ source, path, type, mode }: Record<string, unknown>) => [source, path, type, mode]),
    [['deployment', 'deployment.yaml', 'file', '0600']],
  );
});

test('cat prints a file as it was, under any of its names, holes as zeros', async () => {
  assert.is((await backup('cat', first, join(data, 'a.txt'))).stdout, 'one\n');
  assert.is((await backup('cat', first, join(data, 'b.txt'))).stdout, 'one\n');
  assert.is((await backup('cat', 'latest', join(data, 'a.txt'))).stdout, 'two\n');
  const { stdout } = await backup('cat', first, join(data, 'sparse'));
  assert.ok(Buffer.from(stdout).equals(readFileSync(join(data, 'sparse'))));
  const { stdout: deployment } = await backup('cat', first, 'deployment:deployment.yaml');
  assert.is(deployment, readFileSync(join(home, 'dockerctl.yaml'), 'utf8'));
});

test('cat of what has no content says what it is', async () => {
  const { status, stderr } = await backup('cat', first, join(data, 'sub'));
  assert.is(status, 2);
  assert.match(stderr, 'it is a directory');
  assert.is((await backup('cat', first, join(data, 'nowhere'))).status, 10);
});

test('diff tells what came, went and changed, and how', async () => {
  const { stdout } = await backup('diff', first, 'latest');
  assert.equal(stdout.trim().split('\n'), [
    `m ${data} (time)`,
    `M ${join(data, 'a.txt')}`,
    `m ${join(data, 'b.txt')} (time)`,
    `T ${join(data, 'link')}`,
    `+ ${join(data, 'new')}`,
    `m ${join(data, 'sub')} (time)`,
    `- ${join(data, 'sub/gone')}`,
    `m ${join(data, 'sub/touched')} (mode 0644 to 2755, owner 0:0 to 7:8, time, extended attributes)`,
  ]);
  assert.is((await backup('diff', first, first)).stdout, '');
  const listed = JSON.parse((await backup('diff', first, 'latest', '--json')).stdout);
  assert.equal(listed.at(-1), {
    source: 'data',
    file: join(data, 'sub/touched'),
    change: 'attributes',
    attributes: ['mode', 'owner', 'time', 'xattrs'],
  });
});

test('show tells of the latest snapshot, source by source', async () => {
  const { stdout } = await backup('show');
  assert.match(stdout, /snapshot: {4}sha256:[0-9a-f]{64} \(complete\)/);
  assert.match(stdout, /data +The data +5 /);
  assert.is(JSON.parse((await backup('show', first, '--json')).stdout).id, first);
});

test('a name that is not UTF-8 is listed with its bytes escaped, and found by what was listed', async () => {
  const odd = Buffer.concat([Buffer.from(`${data}/b`), Buffer.from([0xff, 0xc3]), Buffer.from('ä')]);
  writeFileSync(odd, 'odd');
  const link = Buffer.concat([Buffer.from(`${data}/c`), Buffer.from([0xfe])]);
  linkSync(odd, link);
  writeFileSync(`${data}/d\n`, 'line');
  try {
    const { id } = JSON.parse((await backup('--json')).stdout).snapshot;
    const listed = (await backup('ls', id)).stdout.split('\n');
    const names = [`${data}/b\\xff\\xc3ä`, `${data}/c\\xfe`, `${data}/d\\x0a`];
    for (const name of names) assert.ok(listed.includes(name), name);
    assert.is((await backup('cat', id, names[0]!)).stdout, 'odd');
    assert.is((await backup('cat', id, names[1]!)).stdout, 'odd');
    assert.is((await backup('cat', id, names[2]!)).stdout, 'line');
    const [{ path, path64 }] = JSON.parse((await backup('ls', '--json', id, names[1]!)).stdout);
    assert.is(`/${path}`, names[1]);
    assert.equal(Buffer.from(path64, 'base64'), link.subarray(1));
  } finally {
    for (const name of [odd, link, `${data}/d\n`]) rmSync(name);
  }
});

test('a file that is really called like an escaped byte is found by its name', async () => {
  const name = join(data, String.raw`\x41`);
  writeFileSync(name, 'literal');
  try {
    const { id } = JSON.parse((await backup('--json')).stdout).snapshot;
    assert.is((await backup('cat', id, name)).stdout, 'literal');
  } finally {
    rmSync(name);
  }
});

test.run();

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { wholeSnapshots } from '../repository/carry/exported.ts';
import { sealings } from '../repository/sealings.ts';
import type { Failure } from '../support/failing-calls/failing-calls.ts';
import { seed } from '../support/random.ts';
import { quietContext } from '../support/save-directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import type { EndedCommand } from './torture/command.ts';
import { type CommandName, commands, places } from './torture/failing-commands.ts';
import { failCalls } from './torture/failing-disk.ts';
import { FailingHosts } from './torture/failing-hosts.ts';

const root = temporaryDirectory();
const [hosts] = await Promise.all(
  sealings.map(async ([name, keys]) => {
    const home = join(root, name);
    mkdirSync(home);
    const opened = await FailingHosts.open({ home, keys, seed });
    /** `npm run torture -- errors` does it at greater length. */
    test(`whatever call to a disk fails, what is there stays whole, the message says so, and the next run needs no hand: ${name}`, async () => {
      const counts = await failCalls(opened, { failures: 2, seed });
      const ended = Object.values(counts).flatMap((each) => Object.values(each));
      assert.is(
        ended.reduce((sum, count) => sum + count, 0),
        2,
      );
    });
    return opened;
  }),
);

/** Runs a command whose first call like this one, below a place, fails; or its last. */
async function runFailing(
  name: CommandName,
  {
    below,
    call,
    error,
    last = false,
  }: { below: string; call: RegExp; error: Failure['error']; last?: boolean },
): Promise<EndedCommand> {
  const isReading = call.source === 'statx';
  const on = call.source.startsWith('open') ? 'opening' : isReading ? 'everything' : 'changes';
  const which = { below: hosts!.path(below), on } as const;
  const calls = await hosts!.calls(name, which);
  const isIt = (made: string) => call.test(made);
  const at = 1 + (last ? calls.findLastIndex(isIt) : calls.findIndex(isIt));
  assert.ok(at > 0, `${name} makes no call like ${call}`);
  hosts!.begin(name);
  return hosts!.run(commands[name], { ...which, at, error, lasting: false });
}

for (const [name, below, call, error, status, says] of [
  [
    'receive',
    places.vault,
    /fsync .*sha256$/,
    'EIO',
    1,
    /says: writing to \S+: EIO: .*\n {2}There: Look at `dmesg`/,
  ],
  [
    'receiveFirst',
    places.vault,
    /mkdir .*tmp$/,
    'EDQUOT',
    13,
    /in \S+: EDQUOT: disk quota .*\n {2}There: Make room/,
  ],
  [
    'send',
    places.repository,
    /open64 .*sha256\/\w+$/,
    'EMFILE',
    1,
    /vault:\S+: reading \S+: EMFILE: .*\n {2}Let its/,
  ],
  ['restore', places.out, /statx/, 'EIO', 1, /planning a restore: EIO: .*restored.*\n {2}Look at `dmesg`/],
  ['restore', places.out, /pwrite64/, 'EDQUOT', 13, /restoring .*: EDQUOT: disk quota .*\n {2}Make room/],
  ['verify', places.repository, /open64 .*layout$/, 'EMFILE', 1, /reading \S+: EMFILE: .*\n {2}Let its user/],
] as const) {
  test(`${name} says what it could not do, and what to do, when ${call.source} answers ${error}`, async () => {
    const ended = await runFailing(name, { below, call, error, last: name === 'send' });
    assert.is(ended.status, status, ended.stderr);
    assert.match(ended.stderr, says);
  });
}

for (const [when, call, last] of [
  ['begins', /fsync .*restores$/, false],
  ['is done', /rename .*restores\/\w+\.json$/, true],
] as const) {
  test(`a restore that cannot write down that it ${when} leaves everything as it was, and the next one works`, async () => {
    const { status, stderr } = await runFailing('restore', { below: places.state, call, error: 'EIO', last });
    assert.is(status, 1, stderr);
    assert.match(stderr, /: writing \S+json: EIO: /);
    assert.not.ok(existsSync(join(hosts!.path(places.out), 'restored', 'data')));
    await hosts!.runWell(commands.restore);
  });
}

test('what is owed to another host is not forgotten when it cannot be read once, and the next run delivers it', async () => {
  const below = hosts!.path(places.vault);
  const context = quietContext(hosts!.path('elsewhere'));
  hosts!.begin('receive');
  const refused = { below, at: 1, error: 'EIO', lasting: true, on: 'everything' } as const;
  assert.match((await hosts!.run(commands.receive, refused)).stderr, 'is here, and owed');
  const [owed] = (await wholeSnapshots(hosts!.path(places.repository), context)).slice(-1);
  const file = join(hosts!.path(places.state), 'backup/failing/deliveries.json');
  const unreadable = { below: file, at: 1, error: 'EMFILE', lasting: false, on: 'opening' } as const;
  const { status, stderr } = await hosts!.run(commands.send, unreadable);
  assert.is(status, 0, stderr);
  assert.match(
    stderr,
    /^dockerctl: warning: what is owed to vault:\S+ cannot be kept in mind: reading \S+: EMFILE/,
  );
  assert.ok((await wholeSnapshots(below, context)).includes(owed!));
});

test.run();

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { enterIdleGroup, processorGroups } from '../../../src/support/posix/idle-group.ts';

const host = processorGroups(
  readFileSync('/proc/self/mountinfo', 'latin1'),
  readFileSync('/proc/self/cgroup', 'latin1'),
);
/** Not the usual one: backups that run meanwhile are in that. */
const name = `dockerctl-idle-${process.pid}`;
const group = `${host}/${name}`;

/** Whether this system lets us. */
const leave = enterIdleGroup(name);
leave?.();
const canEnter = leave !== undefined;

/** Enters, and prints what group each of its threads, new ones among them, and a program it starts are in. */
const inside = `
  import { execFileSync } from 'node:child_process';
  import { readdirSync, readFileSync } from 'node:fs';
  import { Worker } from 'node:worker_threads';
  import { enterIdleGroup } from './src/support/posix/idle-group.ts';
  const leave = enterIdleGroup('${name}');
  const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
  worker.on('online', () => {
    const groupOf = (text) => /:(?:[^:]*,)?cpu(?:,[^:]*)?:(.*)|^0::(.*)/m.exec(text).slice(1).find(Boolean);
    const threads = readdirSync('/proc/self/task').map((id) => readFileSync('/proc/self/task/' + id + '/cgroup', 'latin1'));
    const program = execFileSync('cat', ['/proc/self/cgroup'], { encoding: 'latin1' });
    const entered = [...new Set([...threads, program].map(groupOf))];
    leave();
    console.log(JSON.stringify({ entered, left: groupOf(readFileSync('/proc/self/cgroup', 'latin1')) }));
    process.exit();
  });
`;

/** Enters, says so, and stays until somebody ends it. */
const staying = `
  import { enterIdleGroup } from './src/support/posix/idle-group.ts';
  const leave = enterIdleGroup('${name}');
  process.stdin.resume().on('end', () => { leave(); process.exit(); });
  console.log('in');
`;

const module = (code: string) => ['--input-type=module', '--eval', code];

test('a process enters the idle group with all its threads and the programs it starts, and leaves nothing behind', () => {
  if (!canEnter) return;
  const output = execFileSync(process.execPath, module(inside), { encoding: 'utf8' });
  assert.equal(JSON.parse(output), { entered: [`/${name}`], left: '/' });
  assert.not.ok(existsSync(group));
});

test('whoever leaves the group while another is in it leaves it to that one, killed or not', async () => {
  if (!canEnter) return;
  const stays = () => spawn(process.execPath, module(staying), { stdio: ['pipe', 'pipe', 'inherit'] });
  const [one, other] = [stays(), stays()];
  await Promise.all([once(one.stdout, 'data'), once(other.stdout, 'data')]);
  one.stdin.end();
  await once(one, 'close');
  assert.ok(existsSync(group));
  other.kill('SIGKILL');
  await once(other, 'close');
  assert.ok(existsSync(group), 'nobody was left to remove it');
  enterIdleGroup(name)?.();
  assert.not.ok(existsSync(group));
});

test('a process that may not make groups stays where it is', () => {
  const code = `
    import { enterIdleGroup } from './src/support/posix/idle-group.ts';
    process.setuid(65534);
    console.log(enterIdleGroup('${name}') === undefined);
  `;
  if (process.getuid!() !== 0) return;
  const { stdout } = spawnSync(process.execPath, module(code), { encoding: 'utf8' });
  assert.is(stdout.trim(), 'true');
});

const older = [
  '31 23 0:28 / /sys/fs/cgroup ro,relatime - tmpfs tmpfs ro,mode=755',
  '32 31 0:29 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset',
  '33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct',
  '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw',
].join('\n');
const newer = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate';

test('groups are looked for where the kernel has those of the processor, in either version of the hierarchy', () => {
  assert.is(processorGroups(older, '5:cpuset:/\n2:cpu,cpuacct:/\n0::/\n'), '/sys/fs/cgroup/cpu,cpuacct');
  assert.is(processorGroups(newer, '0::/\n'), '/sys/fs/cgroup');
});

test('who was put into a group stays there', () => {
  assert.is(
    processorGroups(older, '5:cpuset:/\n2:cpu,cpuacct:/system.slice/cron.service\n0::/\n'),
    undefined,
  );
  assert.is(processorGroups(newer, '0::/user.slice/session-1.scope\n'), undefined);
  assert.is(processorGroups(older, '5:cpuset:/\n'), undefined);
});

test.run();

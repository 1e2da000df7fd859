import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applySchedule, cronRuns, installedSchedule, schedulerOf } from '../../../src/host/schedule/apply.ts';
import { planInstall, planRemoval } from '../../../src/host/schedule/plan.ts';
import type { Schedule, ScheduleStep } from '../../../src/host/schedule/schedule.ts';
import { FailedError, UsageError } from '../../../src/support/errors.ts';
import { runCli } from '../../support/cli.ts';
import { needProgram } from '../../support/debian-program.ts';
import fc from '../../support/property.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const program = '/usr/bin/dockerctl';
const nightly: Schedule = {
  deployment: 'shop',
  at: { hour: 3, minute: 5 },
  weekdays: [],
  jobs: [[program, '--file', '/etc/shop.yaml', 'backup']],
};
const tables = '/etc/cron.d/dockerctl-backup-shop';
const service = '/etc/systemd/system/dockerctl-backup-shop.service';
const timer = '/etc/systemd/system/dockerctl-backup-shop.timer';

function newHost(...directories: string[]): string {
  const root = temporaryDirectory();
  for (const directory of directories) mkdirSync(join(root, directory), { recursive: true });
  return root;
}

function contentFor(path: string, steps: readonly ScheduleStep[]): string {
  const step = steps.find((one) => one.do === 'write' && one.path === path);
  return step?.do === 'write' ? step.content : '';
}

/** What the shell that cron starts would get as arguments. */
function argumentsGivenByCron(table: string): string[] {
  const line = table.trimEnd().split('\n').at(-1) ?? '';
  const command = line.replace(/^(\S+ ){5}root /, '');
  // cron ends the command at the first % without a backslash, and takes the backslash away from the others.
  const seen = (/^(?:\\%|[^%])*/.exec(command)?.[0] ?? '').replaceAll('\\%', '%');
  const printing = `show() { printf '%s\\0' "$@"; }; ${seen.replace(`'${program}'`, 'show').replace(/ >\/dev\/null$/, '')}`;
  return execFileSync('sh', ['-c', printing], { encoding: 'utf8' }).split('\0').slice(0, -1);
}

test('where systemd runs there is a timer, else a table for cron', async () => {
  assert.is(await schedulerOf(newHost('run/systemd/system')), 'systemd');
  assert.is(await schedulerOf(newHost()), 'cron');
});

test('the service weighs less than any container, by whatever the systemd there understands last', () => {
  const unit = contentFor(service, planInstall(nightly, 'systemd', []));
  assert.equal(unit.match(/^CPUWeight=.*$/gm), ['CPUWeight=1', 'CPUWeight=idle']);
});

test('the table for cron names minute, hour and days', () => {
  const lineOf = (schedule: Schedule) =>
    contentFor(tables, planInstall(schedule, 'cron', []))
      .trimEnd()
      .split('\n')
      .at(-1) ?? '';
  assert.is(lineOf(nightly), `5 3 * * * root '${program}' '--file' '/etc/shop.yaml' 'backup' >/dev/null`);
  assert.match(lineOf({ ...nightly, weekdays: [1, 5] }), /^5 3 \* \* 1,5 root /);
  const two = {
    ...nightly,
    jobs: [
      [program, 'backup'],
      [program, 'images', 'list'],
    ],
  };
  assert.match(
    lineOf(two),
    / '\/usr\/bin\/dockerctl' 'backup' >\/dev\/null && '\/usr\/bin\/dockerctl' 'images' 'list' >\/dev\/null$/,
  );
});

test('systemd accepts the units and reads the times that were meant', () => {
  needProgram('systemd-analyze', 'systemd');
  const steps = planInstall({ ...nightly, weekdays: [1, 5] }, 'systemd', []);
  const directory = temporaryDirectory();
  const units = [service, timer].map((path) => join(directory, path.split('/').at(-1) ?? ''));
  for (const [i, path] of [service, timer].entries()) {
    writeFileSync(units[i] ?? '', contentFor(path, steps).replaceAll(program, '/bin/true'));
  }
  execFileSync('systemd-analyze', ['verify', '--man=no', ...units], { stdio: 'pipe' });
  const calendar = /^OnCalendar=(.*)$/m.exec(contentFor(timer, steps))?.[1] ?? '';
  const normal = execFileSync('systemd-analyze', ['calendar', calendar], { encoding: 'utf8' });
  assert.match(normal, /Mon,Fri \*-\*-\* 03:05:00/);
});

test('no argument is taken apart by cron or its shell, whatever it holds', () => {
  const argument = fc
    .string({ unit: 'binary-ascii', minLength: 1 })
    .filter((text) => !/[\u0000-\u001f\u007f]/.test(text));
  fc.assert(
    fc.property(fc.array(argument, { minLength: 1, maxLength: 4 }), (args) => {
      const table = contentFor(tables, planInstall({ ...nightly, jobs: [[program, ...args]] }, 'cron', []));
      assert.equal(argumentsGivenByCron(table), args);
    }),
    { numRuns: 40 },
  );
});

test('what systemd would expand or unquote is escaped', () => {
  const jobs = [[program, 'a b', '"q"', 'back\\slash', '100%h', '$HOME']];
  const unit = contentFor(service, planInstall({ ...nightly, jobs }, 'systemd', []));
  const line = /^ExecStart=(.*)$/m.exec(unit)?.[1];
  assert.is(line, String.raw`"/usr/bin/dockerctl" "a b" "\"q\"" "back\\slash" "100%%h" "$$HOME"`);
});

test('a line break in a path, or a name no file can have, is refused', () => {
  const broken = [
    { ...nightly, jobs: [[program, '--file', '/etc/a\n* * * * * root evil']] },
    { ...nightly, deployment: '../../etc/passwd' },
  ];
  for (const schedule of broken) {
    for (const scheduler of ['cron', 'systemd'] as const) {
      assert.throws(
        () => planInstall(schedule, scheduler, []),
        (error: unknown) => error instanceof UsageError,
      );
    }
  }
});

test('installed twice, nothing is written again; removed, nothing is left', async () => {
  const root = newHost('etc/cron.d');
  const install = async (schedule = nightly) => {
    const steps = planInstall(schedule, 'cron', await installedSchedule('shop', root));
    await applySchedule(steps, root);
    return steps;
  };
  assert.is((await install()).length, 1);
  const table = join(root, tables);
  assert.is(statSync(table).mode & 0o777, 0o644);
  assert.equal(await install(), []);
  await install({ ...nightly, at: { hour: 4, minute: 0 } });
  assert.match(readFileSync(table, 'utf8'), /^0 4 /m);
  await applySchedule(planRemoval('shop', 'cron', await installedSchedule('shop', root)), root);
  assert.equal(readdirSync(join(root, 'etc/cron.d')), []);
  assert.equal(planRemoval('shop', 'cron', await installedSchedule('shop', root)), []);
});

test('a host that moved to systemd loses its table once the timer is there', async () => {
  const root = newHost('etc/cron.d', 'etc/systemd/system');
  await applySchedule(planInstall(nightly, 'cron', []), root);
  const steps = planInstall(nightly, 'systemd', await installedSchedule('shop', root));
  assert.equal(
    steps.map((step) => (step.do === 'run' ? step.command.join(' ') : `${step.do} ${step.path}`)),
    [
      `write ${service}`,
      `write ${timer}`,
      'systemctl daemon-reload',
      'systemctl enable dockerctl-backup-shop.timer',
      'systemctl restart dockerctl-backup-shop.timer',
      `remove ${tables}`,
    ],
  );
});

test('a timer is stopped before its files go', async () => {
  const root = newHost('etc/systemd/system');
  const writes = planInstall(nightly, 'systemd', []).filter((step) => step.do === 'write');
  await applySchedule(writes, root);
  const [first, ...rest] = planRemoval('shop', 'systemd', await installedSchedule('shop', root));
  assert.equal(first, {
    do: 'run',
    command: ['systemctl', 'disable', '--now', 'dockerctl-backup-shop.timer'],
  });
  assert.is(rest.length, 3);
});

test("somebody else's file is neither replaced nor removed", async () => {
  const root = newHost('etc/cron.d');
  writeFileSync(join(root, tables), '0 1 * * * root mine\n');
  chmodSync(join(root, tables), 0o600);
  const installed = await installedSchedule('shop', root);
  for (const plan of [
    () => planInstall(nightly, 'cron', installed),
    () => planRemoval('shop', 'cron', installed),
  ]) {
    assert.throws(plan, (error: unknown) => error instanceof UsageError && error.message.includes(tables));
  }
});

test('a command that fails, or a host without cron, is an error that says so', async () => {
  const failing: ScheduleStep[] = [{ do: 'run', command: ['sh', '-c', 'echo no bus >&2; exit 1'] }];
  const message = (error: unknown) => (error instanceof FailedError ? error.message : '');
  assert.match(await applySchedule(failing).then(() => '', message), /exit 1: no bus/);
  assert.match(
    await applySchedule(planInstall(nightly, 'cron', []), newHost()).then(() => '', message),
    /missing/,
  );
});

test('--dry-run prints the steps and takes none', async () => {
  const directory = join(temporaryDirectory(), 'etc');
  mkdirSync(directory, { mode: 0o700 });
  const file = join(directory, 'd.yaml');
  writeFileSync(
    file,
    'name: shop-of-a-dry-run\nx-dockerctl: {backup: {repository: /r, keep: {last: 1}, sources: {a: {paths: [/etc]}}}}\n',
  );
  const { status, stdout, stderr } = await runCli([
    '-f',
    file,
    'schedule',
    'install',
    '--at',
    '4:30',
    '--dry-run',
  ]);
  assert.is(stderr, '');
  assert.is(status, 0);
  assert.match(stdout, /^write \/etc\/.*dockerctl-backup-shop-of-a-dry-run/);
  assert.equal(await installedSchedule('shop-of-a-dry-run'), []);
  assert.is((await runCli(['-f', file, 'schedule', 'show'])).status, 10);
  assert.is((await runCli(['-f', file, 'schedule', 'install', '--at', '25:00'])).status, 2);
  assert.is((await runCli(['-f', file, 'schedule', 'install', '--on', 'mon,yesterday'])).status, 2);
});

test('a table on a host where no cron runs starts nothing, which can be told beforehand', async () => {
  const root = newHost('proc/7', 'proc/self');
  writeFileSync(join(root, 'proc/7/comm'), 'crontab\n');
  assert.is(await cronRuns(root), false);
  for (const name of ['cron', 'crond']) {
    writeFileSync(join(root, 'proc/7/comm'), `${name}\n`);
    assert.is(await cronRuns(root), true);
  }
});

test('a file that needs a variable which only this shell sets is not scheduled: it would fail every night', async () => {
  const directory = join(temporaryDirectory(), 'etc');
  mkdirSync(directory, { mode: 0o700 });
  const file = join(directory, 'd.yaml');
  const backup = 'backup: {repository: /r, sources: {a: {paths: [/etc]}}}';
  writeFileSync(file, `name: shop-of-a-shell\nx-dockerctl: {release: "\${SHOP}", ${backup}}\n`);
  const schedule = () => runCli(['-f', file, 'schedule', 'install', '-n'], { environment: { SHOP: '1.4' } });
  const refused = await schedule();
  assert.is(refused.status, 2);
  assert.match(refused.stderr, /which know nothing of this shell: .*the variable SHOP is not set\n.*\.env/);
  writeFileSync(join(directory, '.env'), 'SHOP=1.4\n', { mode: 0o600 });
  assert.is((await schedule()).status, 0);
});

test('backups are pruned by the rules that the file has by then, though it had none when they were scheduled', async () => {
  const directory = join(temporaryDirectory(), 'etc');
  mkdirSync(directory, { mode: 0o700 });
  const file = join(directory, 'd.yaml');
  const written = async (keep: string) => {
    writeFileSync(
      file,
      `name: shop-without-rules\nx-dockerctl: {backup: {repository: /r, ${keep} sources: {a: {paths: [/etc]}}}}\n`,
    );
    return (await runCli(['-f', file, '--json', 'schedule', 'install', '--dry-run'])).stdout;
  };
  const withoutRules = await written('');
  assert.match(withoutRules, 'prune');
  assert.is(withoutRules, await written('keep: {last: 1},'));
});

test.run();

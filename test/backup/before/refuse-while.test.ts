import { execFileSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  askWhetherBusy,
  type BusyAnswer,
  refuseUnlessIdle,
} from '../../../src/backup/before/refuse-while.ts';
import type { BusyCheck } from '../../../src/deployment/backup-settings.ts';
import { labelNames } from '../../../src/deployment/names.ts';
import { connectEngine } from '../../../src/engine/connect.ts';
import { BusyError } from '../../../src/support/errors.ts';
import { testEngine } from '../../support/engine.ts';
import { loadBusyboxImage, uniqueName } from '../../support/images.ts';

const { socket } = await testEngine();
const engine = connectEngine({ host: `unix://${socket}` });
const deployment = { name: uniqueName('refuse') };
const image = await loadBusyboxImage(engine);
const { signal } = new AbortController();

async function makeContainer(service: string): Promise<string> {
  return engine.containers.create({
    name: uniqueName(deployment.name),
    image,
    command: ['sleep', '600'],
    networkMode: 'none',
    labels: { [labelNames.deployment]: deployment.name, [labelNames.service]: service },
  });
}

const nailgun = await makeContainer('nailgun');
await engine.containers.start(nailgun);
const stopped = await makeContainer('stopped');
const paused = await makeContainer('paused');
await engine.containers.start(paused);
execFileSync('docker', ['--host', `unix://${socket}`, 'pause', paused]);

test.after(async () => {
  for (const container of [nailgun, stopped, paused])
    await engine.containers.remove(container, { force: true });
  await engine.images.remove(image);
});

function check(command: string[], more: Partial<BusyCheck> = {}): BusyCheck {
  return { name: 'a task is running', service: 'nailgun', command, matches: 'running', timeout: 20, ...more };
}

async function ask(...checks: BusyCheck[]): Promise<BusyAnswer[]> {
  return askWhetherBusy(checks, { engine, deployment }, signal);
}

async function refusal(...checks: BusyCheck[]): Promise<BusyError> {
  const answers = await ask(...checks);
  try {
    refuseUnlessIdle(answers, 'backing up');
  } catch (error) {
    assert.instance(error, BusyError);
    return error as BusyError;
  }
  throw new Error('it was not refused');
}

test('a command in the container whose output does not match lets the work go on', async () => {
  const answers = await ask(
    check(['echo', 'task 1 ready']),
    check(['sh', '-c', 'true'], { service: undefined }),
  );
  assert.equal(
    answers.map(({ kind }) => kind),
    ['idle', 'idle'],
  );
  refuseUnlessIdle(answers, 'backing up');
});

test('an expression that takes for ever is no answer', async () => {
  const many = ['sh', '-c', 'head -c 100000 /dev/zero | tr "\\0" a'];
  const error = await refusal(check(many, { service: undefined, matches: '(a+)+b' }));
  assert.match(
    error.message,
    /whether a task is running: looking for \/\(a\+\)\+b\/ took more than 10 seconds$/,
  );
});

test('a match refuses, and names the check and the line', async () => {
  const tasks = 'id  status\n1   ready\n7   running   deploy\n9   ready';
  const error = await refusal(check(['echo', tasks]));
  assert.is(error.message, 'backing up: refused while a task is running');
  assert.is(error.facts.matched, '7   running   deploy');
  assert.is(
    (await refusal(check(['echo', tasks], { matches: '^7\\s' }))).facts.matched,
    '7   running   deploy',
  );
});

test('the host is asked when no service is named', async () => {
  const error = await refusal(check(['echo', 'running'], { service: undefined }));
  assert.match(error.message, /refused while a task is running/);
});

test('an answer in time counts even when another check never answers', async () => {
  const error = await refusal(check(['sleep', '60'], { timeout: 0.2 }), check(['echo', 'running']));
  assert.match(error.message, /refused while/);
});

test('no answer refuses: failed, missing, late, not running, unknown, too long', async () => {
  const silent: [BusyCheck, RegExp][] = [
    [
      check(['sh', '-c', 'echo no database >&2; exit 3']),
      /exit 3: no database \(an answer ends with exit 0\)$/,
    ],
    [check(['sh', '-c', 'exit 3']), /exit 3 \(an answer ends with exit 0\)$/],
    [check(['/no/such/program']), /no such|exit 12[67]/i],
    [check(['/no/such/program'], { service: undefined }), /it is not installed/],
    [check(['sleep', '60'], { timeout: 0.2 }), /within 0\.2 s/],
    [check(['sleep', '60'], { timeout: 0.2, service: undefined }), /timed out/],
    [check(['true'], { service: 'stopped' }), /stopped: it does not run/],
    [check(['true'], { service: 'paused' }), /paused: \S+ is paused/],
    [check(['true'], { service: 'unknown' }), /unknown: it does not run/],
    [check(['sh', '-c', 'yes | head -c 2000000']), /more than 1 MiB/],
  ];
  const errors = await Promise.all(silent.map(([one]) => refusal(one)));
  for (const [index, error] of errors.entries()) {
    assert.match(error.message, /^backing up: refused, for nobody can tell whether a task is running: /);
    assert.match(error.message, silent[index]?.[1] ?? /^$/);
  }
});

test('a container that does not run is told apart, for a restore passes over it', async () => {
  const { advice } = await refusal(check(['true'], { service: 'stopped' }));
  assert.is(advice, 'Start stopped, or take the check out of refuse-while');
  const [answer] = await ask(check(['true'], { service: 'stopped' }));
  assert.is(answer?.kind, 'not running');
});

test('an interruption is no answer but an end', async () => {
  const controller = new AbortController();
  const asked = askWhetherBusy([check(['sleep', '60'])], { engine, deployment }, controller.signal);
  controller.abort(new Error('stop'));
  assert.match(
    await asked.then(
      () => '',
      (error: Error) => error.message,
    ),
    /stop/,
  );
});

test.run();

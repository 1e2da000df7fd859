import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { describeExit, startChild } from '../../src/support/child.ts';
import { runCommand } from '../../src/support/run-command.ts';

function unexpected(): never {
  throw new Error('should have failed');
}

/** A killed orphan may stay a zombie for as long as nobody reaps it. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test('a child gets its arguments untouched by any shell, and its input', async () => {
  const child = startChild(['/bin/sh', '-c', 'cat; printf "[%s]" "$@"', 'sh', '$HOME; ls', '*']);
  child.stdin.end('in ');
  assert.is(await text(child.stdout), 'in [$HOME; ls][*]');
  const { code, signal, timedOut } = await child.exited;
  assert.equal([code, signal, timedOut], [0, undefined, false]);
});

test('of a noisy stderr the end is kept', async () => {
  const child = startChild(['/bin/sh', '-c', 'head -c 1000000 /dev/zero >&2; echo the reason >&2; exit 3']);
  child.stdout.resume();
  const exit = await child.exited;
  assert.is(describeExit(exit), 'exit 3');
  assert.is(exit.stderr.length, 64 * 1024);
  assert.ok(exit.stderr.endsWith('the reason\n'));
});

test('what is added to its environment stands beside what it inherits', async () => {
  const child = startChild(['/bin/sh', '-c', 'echo "$ADDED $PATH"'], { environment: { ADDED: 'yes' } });
  assert.is(await text(child.stdout), `yes ${process.env.PATH}\n`);
});

test('when its time is up, the whole group ends', async () => {
  const child = startChild(['/bin/sh', '-c', 'sleep 300 & echo $!; wait'], { timeout: 0.2 });
  const sleeper = Number(await text(child.stdout));
  const exit = await child.exited;
  assert.is(describeExit(exit), 'timed out');
  // It closes its outputs a moment before it is gone.
  for (let look = 0; look < 100 && isRunning(sleeper); look++) await setTimeout(50);
  assert.not.ok(isRunning(sleeper));
});

test('when its time is up, nobody waits for what has left the group and holds its outputs open', async () => {
  const child = startChild(['/bin/sh', '-c', 'setsid yes & echo $! >&2'], { timeout: 2 });
  await pipeline(child.stdout, new Writable({ write: (_, _encoding, done) => done() })).then(
    unexpected,
    (error: Error) => assert.is(error.message, 'running /bin/sh: timed out'),
  );
  const exit = await child.exited;
  assert.is(describeExit(exit), 'timed out');
  assert.ok(Number(exit.stderr) > 0);
});

test('when it has ended itself, nobody waits long for what it left and holds its outputs open, if that is so wanted', async () => {
  const script = 'echo done; echo fine >&2; sleep 300 & echo $! >&2; exit 3';
  const result = await runCommand('/bin/sh', ['-c', script], { mayLeaveSome: true, timeout: 60 });
  const [fine, sleeper] = result.stderr.split('\n');
  assert.ok(isRunning(Number(sleeper)), 'it was left in peace');
  process.kill(Number(sleeper));
  assert.equal([result.status, result.stdout, fine], [3, 'done\n', 'fine']);
});

test('an abort ends it, before or after it has started', async () => {
  for (const abortFirst of [true, false]) {
    const abort = new AbortController();
    if (abortFirst) abort.abort();
    const child = startChild(['sleep', '300'], { signal: abort.signal });
    child.stdout.resume();
    abort.abort();
    assert.is(describeExit(await child.exited), 'killed by SIGTERM');
  }
});

test('a file that nobody may execute is told as such', async () => {
  const child = startChild(['/etc/passwd']);
  await child.exited.then(unexpected, (error: Error & { advice?: string }) => {
    assert.is(error.message, 'running /etc/passwd: it is not executable');
    assert.is(error.advice, 'If it is a program: chmod +x /etc/passwd');
  });
});

test('a program that does not exist is told as such', async () => {
  const child = startChild(['/no/such/program']);
  assert.equal(await buffer(child.stdout), Buffer.alloc(0));
  await child.exited.then(unexpected, (error: Error) => {
    assert.match(error.message, /^running \/no\/such\/program: it is not installed$/);
  });
});

test('runCommand returns status and output, and throws when a signal or the clock ended it', async () => {
  const result = await runCommand('/bin/sh', ['-c', 'cat; echo err >&2; exit 4'], { input: 'in' });
  assert.equal(result, { status: 4, stdout: 'in', stderr: 'err\n' });
  await runCommand('/bin/sh', ['-c', 'kill -9 $$']).then(unexpected, (error: Error) => {
    assert.is(error.message, 'running /bin/sh: killed by SIGKILL');
  });
  await runCommand('sleep', ['300'], { timeout: 0.1 }).then(unexpected, (error: Error) => {
    assert.is(error.message, 'running sleep: timed out');
  });
});

test.run();

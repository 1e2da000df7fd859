import { execFileSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isStarving } from '../../../src/support/posix/give-way.ts';

/**
 * Prints the scheduling policy (proc(5), field 41 of stat) of all its threads, new ones among them, and of a program it
 * starts.
 */
const child = `
  import { execFileSync } from 'node:child_process';
  import { readdirSync, readFileSync } from 'node:fs';
  import { Worker } from 'node:worker_threads';
  import { giveWay } from './src/support/posix/give-way.ts';
  const policyOf = (stat) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38]);
  giveWay();
  const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
  worker.on('online', () => {
    const threads = readdirSync('/proc/self/task').map((id) => readFileSync('/proc/self/task/' + id + '/stat', 'latin1'));
    const started = execFileSync('cat', ['/proc/self/stat'], { encoding: 'latin1' });
    console.log(JSON.stringify([...new Set([...threads, started].map(policyOf))]));
    process.exit();
  });
`;

test('a process that gives way does so with all its threads, and with the programs it starts', () => {
  const argv = ['--input-type=module', '--eval', child];
  const output = execFileSync(process.execPath, argv, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.equal(JSON.parse(output), [5]);
});

test('whoever gets less than a twentieth of what it wants is starving', () => {
  const times = (ran: number, waited: number) => new Map([['7', { ran, waited }]]);
  const before = times(5e9, 5e9);
  assert.ok(isStarving(before, times(5.1e9, 9e9)));
  assert.not.ok(isStarving(before, times(6e9, 9e9)));
  assert.not.ok(isStarving(before, before), 'nobody starves who wants nothing');
  assert.not.ok(isStarving(before, new Map()), 'who has ended wants nothing');
});

test.run();

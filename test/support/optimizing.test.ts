import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { test } from 'uvu';
import { ok } from 'uvu/assert';
import { optimizeFully, optimizeLittle } from '../../src/support/optimizing.ts';

setFlagsFromString('--allow-natives-syntax');
const isFullyOptimized = new Function('f', 'return %ActiveTierIsTurbofan(f)') as (f: Mix) => boolean;
const neverOptimize = new Function('f', '%NeverOptimizeFunction(f)') as (f: unknown) => void;
neverOptimize(runFor); // Or what it calls would become a part of it.

type Mix = (a: number, b: number) => number;

test('what runs often is compiled for speed from when that is asked for', () => {
  const mix = freshMix('asked for');
  optimizeLittle();
  runFor(500, mix, () => false);
  ok(!isFullyOptimized(mix));
  optimizeFully();
  runFor(20_000, mix, () => isFullyOptimized(mix));
  ok(isFullyOptimized(mix));
});

test('so it is when there turns out to be more to do', async () => {
  const mix = freshMix('more to do');
  optimizeLittle();
  runFor(500, mix, () => false);
  ok(!isFullyOptimized(mix));
  await setTimeout(2000);
  runFor(20_000, mix, () => isFullyOptimized(mix));
  ok(isFullyOptimized(mix));
});

/** Each has a text, and so code, of its own. */
function freshMix(name: string): Mix {
  const body = `let mixed = a; for (let i = 0; i < 8; i++) mixed = Math.imul(mixed ^ b, 0x9e3779b1) | 0; return mixed; // ${name}`;
  return new Function('a', 'b', body) as Mix;
}

function runFor(milliseconds: number, mix: Mix, isEnough: () => boolean): void {
  let mixed = 0;
  for (const end = performance.now() + milliseconds; performance.now() < end && !isEnough(); ) {
    for (let i = 0; i < 10_000; i++) mixed = mix(mixed, i);
  }
}

test.run();

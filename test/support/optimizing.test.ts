import { setFlagsFromString } from 'node:v8';
import { test } from 'uvu';
import { ok } from 'uvu/assert';
import { optimizeFully, optimizeLittle } from '../../src/support/optimizing.ts';

test('what runs often is compiled for speed only from when that is asked for', () => {
  setFlagsFromString('--allow-natives-syntax');
  const isFullyOptimized = new Function('f', 'return %ActiveTierIsTurbofan(f)') as (f: unknown) => boolean;
  new Function('f', '%NeverOptimizeFunction(f)')(runFor); // Or `mix` would become a part of it.
  try {
    optimizeLittle();
    runFor(500, () => false);
    ok(!isFullyOptimized(mix));
    optimizeFully();
    runFor(20_000, () => isFullyOptimized(mix));
    ok(isFullyOptimized(mix));
  } finally {
    optimizeFully();
  }
});

function runFor(milliseconds: number, isEnough: () => boolean): void {
  for (const end = performance.now() + milliseconds; performance.now() < end && !isEnough(); ) {
    for (let i = 0; i < 10_000; i++) sum = mix(sum, i);
  }
}

let sum = 0;

function mix(a: number, b: number): number {
  let mixed = a;
  for (let i = 0; i < 8; i++) mixed = Math.imul(mixed ^ b, 0x9e3779b1) | 0;
  return mixed;
}

test.run();

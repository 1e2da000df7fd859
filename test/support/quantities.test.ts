import { execFileSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatBytes, formatDuration } from '../../src/support/quantities.ts';

test('bytes keep one digit below a hundred and change unit at 1024', () => {
  assert.equal([0, 1023, 1024, 1536, 104857600, 5 * 1024 ** 4].map(formatBytes), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '100 MiB',
    '5.0 TiB',
  ]);
});

test('durations read as an operator says them', () => {
  assert.equal([0.44, 12.3, 185, 7800].map(formatDuration), ['0.4 s', '12 s', '3 min 5 s', '2 h 10 min']);
});

test('a moment tells how far the time here is from UTC', () => {
  const inZone = (TZ: string) => {
    const module = JSON.stringify(import.meta.resolve('../../src/support/quantities.ts'));
    const program = `import(${module}).then((q) => console.log(q.formatMoment(new Date(Date.UTC(2026, 0, 2, 23, 4, 5)))))`;
    const options = { encoding: 'utf8', env: { ...process.env, TZ } } as const;
    return execFileSync(process.execPath, ['--input-type=module', '-e', program], options).trim();
  };
  assert.is(inZone('UTC'), '2026-01-02 23:04:05 +00:00');
  assert.is(inZone('Asia/Kolkata'), '2026-01-03 04:34:05 +05:30');
  assert.is(inZone('America/St_Johns'), '2026-01-02 19:34:05 -03:30');
});

test.run();

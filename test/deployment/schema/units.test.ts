import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCalendarSpan, parseDuration, parseSize } from '../../../src/deployment/schema/units.ts';

const sizes: [string, number | undefined][] = [
  ['0', 0],
  ['4096', 4096],
  ['1b', 1],
  ['64m', 64 * 2 ** 20],
  ['64MB', 64 * 2 ** 20],
  ['10GiB', 10 * 2 ** 30],
  ['1.5 g', 1.5 * 2 ** 30],
  ['2TiB', 2 * 2 ** 40],
  ['', undefined],
  ['-1', undefined],
  ['10 Gigs', undefined],
  ['m', undefined],
  ['99999999P', undefined],
];

for (const [text, bytes] of sizes) {
  test(`${JSON.stringify(text)} is ${bytes === undefined ? 'no size' : `${bytes} bytes`}`, () => {
    assert.is(parseSize(text), bytes);
  });
}

const durations: [string, number | undefined][] = [
  ['90s', 90],
  ['1m30s', 90],
  ['500ms', 0.5],
  ['36h', 129_600],
  ['1.5h', 5400],
  ['30d', 2_592_000],
  ['2w1d', 1_296_000],
  ['1y', 31_536_000],
  ['', undefined],
  ['5', undefined],
  ['s', undefined],
  ['1x', undefined],
  ['1m 30s', undefined],
];

for (const [text, seconds] of durations) {
  test(`${JSON.stringify(text)} is ${seconds === undefined ? 'no duration' : `${seconds} seconds`}`, () => {
    assert.is(parseDuration(text), seconds);
  });
}

const spans: [string, [years: number, months: number, days: number, hours: number] | undefined][] = [
  ['1y5m7d2h', [1, 5, 7, 2]],
  ['6m', [0, 6, 0, 0]],
  ['30d', [0, 0, 30, 0]],
  ['2w1d', [0, 0, 15, 0]],
  ['36h', [0, 0, 0, 36]],
  ['0d', undefined],
  ['90s', undefined],
  ['1.5d', undefined],
  ['-1d', undefined],
  ['30', undefined],
  ['100000y', undefined],
  ['', undefined],
];

for (const [text, span] of spans) {
  test(`${JSON.stringify(text)} is ${span === undefined ? 'no span' : 'a span'} of the calendar`, () => {
    const read = parseCalendarSpan(text);
    assert.equal(read && [read.years, read.months, read.days, read.hours], span);
  });
}

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { refuseOtherRelease } from '../../../src/restore/plan/other-release.ts';
import type { Stranger } from '../../../src/restore/services/services.ts';
import { FailedError } from '../../../src/support/errors.ts';

const targets = [{ source: 'uploads', path: '/srv/uploads', where: '/srv/uploads', exists: true }];
const running = (service: string, release: string, source: string): Stranger => ({
  name: `shop-${release}-${service}`,
  mounts: [{ source, target: '/data' }],
  own: { service, release },
});

test('another release that runs is told of before anything is done, with the command that stops it', () => {
  const strangers = [running('db', '1.5', '/var/db'), running('web', '1.5', '/srv')];
  assert.throws(
    () => refuseOtherRelease({ start: ['db'] }, { strangers, targets }),
    (error: FailedError) =>
      error instanceof FailedError &&
      error.message === 'restoring: another release runs: shop-1.5-db, shop-1.5-web' &&
      error.advice === 'Stop it first (dockerctl -V 1.5 stop db web), or restore for that release',
  );
  assert.throws(
    () => refuseOtherRelease({ start: [] }, { strangers: [running('web', '', '/srv')], targets }),
    (error: FailedError) => /\(dockerctl stop web\)/.test(error.advice ?? ''),
  );
});

test('one that has nothing to do with what is restored is left alone, and so is any other container', () => {
  const strangers: Stranger[] = [
    running('mail', '1.5', '/var/mail'),
    { name: 'other', mounts: [{ source: '/srv/uploads', target: '/x' }] },
  ];
  assert.not.throws(() => refuseOtherRelease({ start: ['db'] }, { strangers, targets }));
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ImageIndex } from '../../../../src/archive/index/image-index.ts';
import type { EngineInfo } from '../../../../src/engine/engine.ts';
import { digestOf } from '../../../../src/oci/digest.ts';
import type { ReleaseRecord } from '../../../../src/releases/catalog/catalog.ts';
import type { Before } from '../../../../src/releases/load/before.ts';
import type { LoadOptions } from '../../../../src/releases/load/load.ts';
import { type ChosenRelease, chooseRelease } from '../../../../src/releases/load/plan/choose.ts';
import {
  InterruptedError,
  NotFoundError,
  SignatureError,
  UsageError,
} from '../../../../src/support/errors.ts';
import { silent } from '../../../../src/support/progress.ts';
import { rejects } from '../../../support/rejects.ts';

/** An archive of these images, each of as many layers as its name has letters before the colon. */
function archiveOf(references: string[], era: ImageIndex['era'] = 'docker'): ImageIndex {
  const images = references.map((reference) => {
    const bytes = Buffer.from(reference);
    const name = reference.split(':')[0] ?? '';
    const layers = [...name].map((_, i) => {
      const diffId = digestOf(Buffer.from(`${reference} ${i}`));
      return { diffId, path: `${reference}/${i}`, digest: undefined, size: 1, mediaType: undefined };
    });
    const platform = { os: 'linux', architecture: 'amd64' };
    return { references: [reference], platform, config: { digest: digestOf(bytes), bytes }, layers };
  });
  return { era, images, absent: [] };
}

interface Outcome extends ChosenRelease {
  warnings: string[];
}

/** Chooses on a host of amd64 that knows these releases. */
async function choose(
  index: ImageIndex,
  options: Partial<LoadOptions> = {},
  known: string[] = [],
): Promise<Outcome> {
  const warnings: string[] = [];
  const info = { os: 'linux', architecture: 'amd64' } as EngineInfo;
  const releases = known.map((release) => ({ release }) as ReleaseRecord);
  const before = { info, releases } as Partial<Before> as Before;
  const progress = { ...silent, warn: (message: string) => void warnings.push(message) };
  const chosen = await chooseRelease('shop.tar', index, options as LoadOptions, before, progress);
  return { ...chosen, warnings };
}

test('everything in an archive is chosen, and belongs to the release of its common tag', async () => {
  const { release, images, warnings } = await choose(archiveOf(['web:1.4', 'db:1.4']));
  assert.is(release, '1.4');
  assert.is(images.length, 2);
  assert.equal(warnings, []);
});

test('an archive without images is no release, whatever is asked for', async () => {
  const error = await rejects(() => choose(archiveOf([]), { release: '1.5' }), UsageError);
  assert.is(error.message, 'shop.tar: holds no images');
  assert.match(error.advice ?? '', 'dockerctl backup import');
});

test('the release that is asked for goes before the tags', async () => {
  assert.is((await choose(archiveOf(['web:1.4']), { release: '1.4-hotfix' })).release, '1.4-hotfix');
});

test('images whose tags differ need a release that is asked for', async () => {
  const index = archiveOf(['web:1.4', 'db:9.6']);
  await rejects(() => choose(index), UsageError);
  assert.is((await choose(index, { release: '1.4' })).release, '1.4');
});

test('what is left out has no say in the release', async () => {
  const { release, images } = await choose(archiveOf(['web:1.4', 'db:9.6']), { select: ['web:*'] });
  assert.is(release, '1.4');
  assert.equal(images[0]?.references, ['web:1.4']);
  await rejects(() => choose(archiveOf(['web:1.4']), { select: ['shop:*'] }), NotFoundError);
});

test('an older release than the newest is asked about, and no other', async () => {
  const questions: string[] = [];
  const confirm = async (question: string) => void questions.push(question);
  for (const known of [[], ['1.3'], ['1.4'], ['1.10', '1.3']])
    await choose(archiveOf(['web:1.4']), { confirm }, known);
  assert.equal(questions, []);
  await choose(archiveOf(['web:1.4']), { confirm }, ['1.3', '1.10']);
  assert.equal(questions, ['load release 1.4, which is older than the current 1.10']);
});

test('whoever says no loads nothing', async () => {
  const confirm = async () => {
    throw new InterruptedError('not confirmed: nothing was changed');
  };
  await rejects(() => choose(archiveOf(['web:1.4']), { confirm }, ['1.5']), InterruptedError);
});

test('where signers are named, an archive that nobody signed is refused before anything else', async () => {
  const unwanted = { signers: '/etc/dockerctl/allowed_signers', select: ['shop:*'] };
  await rejects(() => choose(archiveOf(['web:1.4']), unwanted), SignatureError);
});

test('layers without digests are told of, of the images that are chosen only', async () => {
  const legacy = archiveOf(['web:1.4', 'a:1.4'], 'legacy');
  assert.match((await choose(legacy)).warnings.join(), /^shop\.tar: its 4 layers cannot be verified/);
  const one = await choose(legacy, { select: ['a:*'] });
  assert.match(one.warnings.join(), /^shop\.tar: its layer cannot be verified/);
});

test.run();

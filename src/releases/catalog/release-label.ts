import { tagOf } from '../../archive/index/reference.ts';
import { UsageError } from '../../support/errors.ts';

/**
 * Which release images belong to: the one that was asked for, else the one the bundle names, else the tag that all of
 * them have in common.
 * @throws {UsageError} when that leaves none or several
 */
export function releaseLabel(
  asked: string | undefined,
  bundled: string | undefined,
  references: readonly string[],
): string {
  const label = asked ?? bundled;
  if (label !== undefined) return checkReleaseLabel(label);
  const tags = [...new Set(references.map(tagOf))].sort();
  if (tags.length === 1) return checkReleaseLabel(tags[0]!);
  const found =
    tags.length === 0 ? 'they carry no tag' : `they carry the tags ${tags.slice(0, 5).join(', ')}`;
  throw new UsageError(`which release do these images belong to? ${found}`, {
    advice: 'Say it with --release RELEASE',
    facts: { tags },
  });
}

/** @throws {UsageError} when `label` cannot name a release */
export function checkReleaseLabel(label: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}$/.test(label)) return label;
  throw new UsageError(`${JSON.stringify(label)} cannot name a release`, {
    advice: 'Letters, digits and _ . + - are allowed, 128 at most, beginning with a letter, a digit or _',
  });
}

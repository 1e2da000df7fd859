import { shortId } from '../../repository/snapshot/short-id.ts';
import { DamagedError } from '../../support/errors.ts';
import { type Damaged, pastDamage } from '../salvage/past-damage.ts';
import type { SelectedSource } from './select.ts';

/**
 * Looks whether the files of the repository are there that the sources need, and as long as they should be: what is
 * inside, restoring them tells.
 * @throws {DamagedError}
 */
export async function expectWhole(asked: Damaged, selected: readonly SelectedSource[]): Promise<void> {
  const { repository, snapshot } = asked;
  for (const { summary } of selected) {
    const [first, ...others] = await repository.lacking(snapshot, summary.name);
    if (first === undefined) continue;
    const more = others.length === 0 ? '' : `, and ${others.length} more`;
    throw new DamagedError(
      `restoring ${summary.title} of snapshot ${shortId(snapshot.id)}: what it needs is missing or cut: ${first}${more}`,
      {
        advice: await pastDamage(asked),
        facts: { snapshot: snapshot.id, source: summary.name, lacking: [first, ...others] },
      },
    );
  }
}

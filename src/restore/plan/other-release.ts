import { FailedError } from '../../support/errors.ts';
import { overlap } from '../../support/path-containment.ts';
import type { RestorePlan, Survey } from './plan.ts';

/**
 * A container of another release of this deployment must not run where its service is to start, or its data to be
 * replaced: the one could not start, and the other would go on writing into what was replaced.
 *
 * @throws {FailedError} that tells how to stop them
 */
export function refuseOtherRelease(
  { start }: Pick<RestorePlan, 'start'>,
  { strangers, targets }: Pick<Survey, 'strangers' | 'targets'>,
): void {
  const inTheWay = strangers.flatMap(({ name, mounts, own }) => {
    const isConcerned =
      own !== undefined &&
      (start.includes(own.service) ||
        mounts.some(({ source }) => targets.some(({ path }) => overlap(source, path))));
    return isConcerned ? [{ name, ...own }] : [];
  });
  const [first] = inTheWay;
  if (first === undefined) return;
  const names = inTheWay.map(({ name }) => name);
  const services = inTheWay.filter(({ release }) => release === first.release).map(({ service }) => service);
  const option = first.release === '' ? '' : `-V ${first.release} `;
  throw new FailedError(`restoring: another release runs: ${names.join(', ')}`, {
    advice: `Stop it first (dockerctl ${option}stop ${services.join(' ')}), or restore for that release`,
    facts: { running: names },
  });
}

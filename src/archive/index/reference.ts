import { DamagedError } from '../../support/errors.ts';

/** `name:tag`, the name with an optional registry (Distribution's reference grammar). */
const pattern =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d+)?\/)?[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** Whether it is a reference to an image, by the grammar of the distribution project, of a length that engines take. */
export function isReference(text: string): boolean {
  return text.length <= 512 && pattern.test(text);
}

/**
 * A reference as Docker shows it: `docker.io/library/nginx:1` is `nginx:1`.
 * @throws {DamagedError} when it is not `name:tag`
 */
export function familiarReference(reference: string, where: string): string {
  if (!isReference(reference))
    throw new DamagedError(`${where}: ${JSON.stringify(reference)} is no image name with a tag`);
  return reference.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\/(?=[^/]+$)/, '');
}

/** The opposite: `nginx:1` is `docker.io/library/nginx:1`. */
export function fullReference(reference: string): string {
  const [first, ...rest] = reference.split('/');
  const hasRegistry =
    rest.length > 0 && (/[.:]/.test(first!) || first === 'localhost' || first !== first!.toLowerCase());
  if (hasRegistry) return reference;
  return rest.length === 0 ? `docker.io/library/${reference}` : `docker.io/${reference}`;
}

/** What stands after the last colon. */
export function tagOf(reference: string): string {
  return reference.slice(reference.lastIndexOf(':') + 1);
}

import { isInside } from '../../support/path-containment.ts';
import type { FileContext } from './file-context.ts';

/**
 * A pattern that begins with a `/` begins at the path it belongs to. One that begins with that path itself would match
 * nothing, and nobody would notice: it is refused. Who really means `/srv/srv` writes `/[s]rv`.
 * @param key where they stand: `include` or `exclude` of a source, at `at`
 */
export function refuseHostPatterns(
  patterns: readonly string[],
  paths: readonly string[],
  at: readonly (string | number)[],
  { problem }: FileContext,
): void {
  for (const [index, pattern] of patterns.entries()) {
    const [, negation = '', written = ''] = /^(!?)(.*)$/s.exec(pattern) ?? [];
    const path = paths.find((one) => one !== '/' && isInside(`${written}/`, one));
    if (path === undefined) continue;
    const inside = written.slice(path.length).replace(/^\/?/, '/');
    throw problem(
      [...at, index],
      `${pattern} is looked for inside ${path}, and would be ${path}${written} on the host`,
      inside === '/'
        ? `Leave ${path} out of paths`
        : `Patterns begin at the path: write ${negation}${inside}`,
    );
  }
}

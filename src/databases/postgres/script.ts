import type { ScriptKind } from '../script.ts';

/**
 * The lines `\restrict KEY` and `\unrestrict KEY`, which newer programs write with a key of random letters
 * (CVE-2025-8714), are left out: an unchanged database then gives the same bytes, and any version of `psql` reads them.
 * Loading puts its own in.
 */
const noise = {
  head: /^\\restrict \w+\n\n/m,
  tail: /\\unrestrict \w+\n\n(?=(--\n-- [\w ]+ complete\n--\n\n)?$)/,
};

/** What `pg_dump` and `pg_dumpall` write first and last. */
export const databaseScript: ScriptKind = {
  begin: /^--\n-- PostgreSQL database dump\n--\n/,
  end: /--\n-- PostgreSQL database dump complete\n--$/,
  noise,
};
export const clusterScript: ScriptKind = {
  begin: /^--\n-- PostgreSQL database cluster dump\n--\n/,
  end: /--\n-- PostgreSQL database cluster dump complete\n--$/,
  noise,
};

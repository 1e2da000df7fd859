import { DamagedError } from '../../support/errors.ts';

/** What `pg_dump` and `pg_dumpall` write first and last. The end is the proof that the script is whole. */
export interface ScriptKind {
  begin: string;
  end: string;
}

export const databaseScript: ScriptKind = {
  begin: '--\n-- PostgreSQL database dump\n--\n',
  end: '--\n-- PostgreSQL database dump complete\n--\n',
};
export const clusterScript: ScriptKind = {
  begin: '--\n-- PostgreSQL database cluster dump\n--\n',
  end: '--\n-- PostgreSQL database cluster dump complete\n--\n',
};

const headLimit = 1024;
const tailLimit = 1024;

/**
 * Passes a dump script on, and throws `DamagedError` at its end unless it begins and ends as a whole one does.
 *
 * The lines `\restrict KEY` and `\unrestrict KEY`, which newer programs write with a key of random letters
 * (CVE-2025-8714), are left out: an unchanged database then gives the same bytes, and any version of `psql` reads them.
 * Loading puts its own in.
 */
export async function* wholeScript(
  script: AsyncIterable<Uint8Array>,
  kind: ScriptKind,
  purpose: string,
): AsyncGenerator<Uint8Array> {
  let atHead = true;
  let held: Buffer = Buffer.alloc(0);
  for await (const piece of script) {
    held = Buffer.concat([held, piece]);
    if (atHead && held.length < headLimit + tailLimit) continue;
    if (atHead) held = unrestrictedHead(held, kind, purpose);
    atHead = false;
    if (held.length > tailLimit) {
      yield held.subarray(0, -tailLimit);
      held = held.subarray(-tailLimit);
    }
  }
  if (atHead) held = unrestrictedHead(held, kind, purpose);
  yield unrestrictedTail(held, kind, purpose);
}

function unrestrictedHead(head: Buffer, { begin }: ScriptKind, purpose: string): Buffer {
  const text = head.toString('latin1');
  if (!text.startsWith(begin)) throw new DamagedError(`${purpose}: the dump does not begin like one`);
  return Buffer.from(
    text.slice(0, headLimit).replace(/^\\restrict \w+\n\n/m, '') + text.slice(headLimit),
    'latin1',
  );
}

function unrestrictedTail(tail: Buffer, { end }: ScriptKind, purpose: string): Buffer {
  const text = tail
    .toString('latin1')
    .replace(/\\unrestrict \w+\n\n(?=(--\n-- [\w ]+ complete\n--\n\n)?$)/, '');
  if (!text.trimEnd().endsWith(end.trimEnd())) {
    throw new DamagedError(`${purpose}: the dump ends before its end`);
  }
  return Buffer.from(text, 'latin1');
}

import type { Provenance } from '../../repository/signed/provenance.ts';
import { printable } from './table.ts';

/** Who made a snapshot, in a few words. */
export function renderProvenance({ trust, fingerprint, principal, problem }: Provenance): string {
  if (trust === 'allowed') return printable(`signed by ${principal}, ${fingerprint}`);
  if (trust === 'own') return `signed by this host, ${fingerprint}`;
  if (fingerprint === undefined) return printable(problem ?? 'not signed');
  return `signed by ${fingerprint}, which nobody here vouches for`;
}

/** In a table: one word or name. */
export function provenanceCell({ trust, fingerprint, principal, problem }: Provenance): string {
  if (trust === 'allowed') return principal ?? '';
  if (trust === 'own') return 'this host';
  if (trust === 'refused') return 'REFUSED';
  return fingerprint?.slice(0, 19) ?? (problem === 'not signed' ? 'no' : 'unknown');
}

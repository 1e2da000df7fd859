import { generateIdentity } from '../../src/repository/age/keys.ts';

/** The two ways in which a repository is written, and who can read it. */
export const sealings = [
  ['plain', []],
  ['encrypted', [generateIdentity()]],
] as const;

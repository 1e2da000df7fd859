/** What went wrong in a call of the system. */
export interface SystemError {
  /** `EDQUOT`, … */
  code: string;
  /** `disk quota exceeded`, … */
  meaning: string;
}

/**
 * What the system has a name for and node has none: that calls it `Unknown system error -122`, as its code and in its
 * message. Those that file systems answer with, by their numbers on x86-64 and arm64.
 * @param errno negative, as node has it
 */
export function unknownToNode(errno: number): SystemError | undefined {
  const found = unknown[-errno];
  return found && { code: found[0], meaning: found[1] };
}

const unknown: Readonly<Record<number, readonly [code: string, meaning: string]>> = {
  37: ['ENOLCK', 'no locks available'],
  67: ['ENOLINK', 'link has been severed'],
  72: ['EMULTIHOP', 'multihop attempted'],
  74: ['EBADMSG', 'bad message'],
  116: ['ESTALE', 'stale file handle'],
  117: ['EUCLEAN', 'structure needs cleaning'],
  121: ['EREMOTEIO', 'remote I/O error'],
  122: ['EDQUOT', 'disk quota exceeded'],
  123: ['ENOMEDIUM', 'no medium found'],
  124: ['EMEDIUMTYPE', 'wrong medium type'],
  126: ['ENOKEY', 'required key not available'],
  127: ['EKEYEXPIRED', 'key has expired'],
  128: ['EKEYREVOKED', 'key has been revoked'],
  129: ['EKEYREJECTED', 'key was rejected by service'],
};

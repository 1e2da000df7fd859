import { randomBytes } from 'node:crypto';
import { encodeHeader } from './header.ts';
import type { Recipient } from './keys.ts';
import { chunkBytes, nonceBytes, PayloadSealer, sealedSize } from './payload.ts';
import { Regrouper } from './regroup.ts';
import { wrapFileKey } from './x25519.ts';

/** Bytes of plaintext that are sealed at a time. */
const pieceBytes = 4 * chunkBytes;

/**
 * One age v1 file made as its plaintext comes, in pieces of any length. Synchronous, for use in workers. What it yields
 * must all be taken, and is valid until the next is asked for.
 */
export class Encryptor {
  readonly #sealer: PayloadSealer;
  readonly #groups = new Regrouper(chunkBytes);
  readonly #sealed = Buffer.allocUnsafeSlow(sealedSize(pieceBytes));
  #prologue: Uint8Array | undefined;

  /** Whoever holds the identity of any one of `recipients` can open it. */
  constructor(recipients: readonly Recipient[]) {
    const { prologue, sealer } = beginFile(recipients);
    this.#prologue = prologue;
    this.#sealer = sealer;
  }

  /** What of the file is ready, in order; often nothing. */
  *update(plaintext: Uint8Array): Generator<Uint8Array> {
    yield* this.#takePrologue();
    for (const run of this.#groups.push(plaintext)) {
      for (let at = 0; at < run.length; at += pieceBytes)
        yield this.#seal(run.subarray(at, at + pieceBytes), false);
    }
  }

  /** The end of the file. Call it once. */
  *final(): Generator<Uint8Array> {
    yield* this.#takePrologue();
    yield this.#seal(this.#groups.rest(), true);
  }

  #seal(plaintext: Uint8Array, last: boolean): Uint8Array {
    const output = this.#sealed.subarray(0, sealedSize(plaintext.length));
    this.#sealer.seal(plaintext, last, output);
    return output;
  }

  #takePrologue(): Uint8Array[] {
    const prologue = this.#prologue;
    this.#prologue = undefined;
    return prologue === undefined ? [] : [prologue];
  }
}

/** Encrypts a whole buffer into an age v1 file. Synchronous, for use in workers. */
export function encryptBytes(plaintext: Uint8Array, recipients: readonly Recipient[]): Uint8Array {
  const { prologue, sealer } = beginFile(recipients);
  const file = Buffer.allocUnsafeSlow(prologue.length + sealedSize(plaintext.length));
  file.set(prologue);
  sealer.seal(plaintext, true, file.subarray(prologue.length));
  return file;
}

/** The header and the nonce of a new file, and what encrypts the rest of it. */
function beginFile(recipients: readonly Recipient[]): { prologue: Uint8Array; sealer: PayloadSealer } {
  if (recipients.length === 0) throw new RangeError('nobody could open a file without recipients');
  const fileKey = randomBytes(16);
  const nonce = randomBytes(nonceBytes);
  const stanzas = recipients.map((recipient) => wrapFileKey(fileKey, recipient));
  return {
    prologue: Buffer.concat([encodeHeader(stanzas, fileKey), nonce]),
    sealer: new PayloadSealer(fileKey, nonce),
  };
}

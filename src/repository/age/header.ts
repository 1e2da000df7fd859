import { createHmac, timingSafeEqual } from 'node:crypto';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { deriveKey } from './derive.ts';
import { decodeStanza, encodeStanza, type Stanza } from './stanza.ts';

export interface Header {
  stanzas: Stanza[];
  /** What the MAC covers: everything up to and with the three dashes. */
  covered: Uint8Array;
  mac: Uint8Array;
}

const versionLine = 'age-encryption.org/v1\n';

/** So many bytes tell an age file from any other. */
export const sealedBeginning = versionLine.length;

/** Whether this is the beginning of an age file of version 1. */
export function isSealed(beginning: Uint8Array): boolean {
  return Buffer.from(beginning.subarray(0, sealedBeginning)).toString('latin1') === versionLine;
}

/** More than any header we or anybody else would write; keeps a hostile one from filling the memory. */
export const maximumHeaderBytes = 1 << 20;

/** Source of the format: C2SP age specification, "Header". */
export function encodeHeader(stanzas: readonly Stanza[], fileKey: Uint8Array): Uint8Array {
  const covered = `${versionLine}${stanzas.map(encodeStanza).join('')}---`;
  const mac = encodeBase64(computeMac(Buffer.from(covered), fileKey));
  return Buffer.from(`${covered} ${mac}\n`);
}

/** Reads the first `headerLength` bytes of a file. Returns `undefined` when they are malformed in any way. */
export function decodeHeader(bytes: Uint8Array): Header | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const closing = text.lastIndexOf('\n--- ') + 1;
  if (!text.startsWith(versionLine) || closing < versionLine.length || !text.endsWith('\n')) return undefined;
  const mac = decodeBase64(text.slice(closing + '--- '.length, -1));
  const stanzas = decodeStanzas(text.slice(versionLine.length, closing));
  if (mac?.length !== 32 || stanzas === undefined || mixesPassphrase(stanzas)) return undefined;
  return { stanzas, covered: bytes.subarray(0, closing + '---'.length), mac };
}

/**
 * How many of the first bytes of a file are its header; `undefined` when its end is not among `bytes`, and -1 when
 * they cannot become a header.
 */
export function headerLength(bytes: Uint8Array): number | undefined {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, maximumHeaderBytes));
  const seen = Math.min(start.length, versionLine.length);
  if (start.toString('latin1', 0, seen) !== versionLine.slice(0, seen)) return -1;
  const closing = start.indexOf('\n--- ', versionLine.length - 1);
  const end = closing < 0 ? -1 : start.indexOf('\n', closing + 1);
  if (end >= 0) return end + 1;
  return start.length < maximumHeaderBytes ? undefined : -1;
}

/** For how many recipients an age file was made, which needs no key; `undefined` when this is none. */
export function countRecipients(file: Uint8Array): number | undefined {
  const length = headerLength(file) ?? -1;
  return length < 0 ? undefined : decodeHeader(file.subarray(0, length))?.stanzas.length;
}

/** Whether the header was made by somebody who knew the file key. */
export function isAuthentic({ covered, mac }: Header, fileKey: Uint8Array): boolean {
  return timingSafeEqual(computeMac(covered, fileKey), mac);
}

/** Who opens a file with a passphrase must be sure that nobody without it made the file. */
function mixesPassphrase(stanzas: readonly Stanza[]): boolean {
  return stanzas.length > 1 && stanzas.some(({ args }) => args[0] === 'scrypt');
}

function decodeStanzas(text: string): Stanza[] | undefined {
  const lines = text.split('\n').slice(0, -1);
  const stanzas: Stanza[] = [];
  for (let at = 0; at < lines.length; ) {
    const decoded = decodeStanza(lines, at);
    if (decoded === undefined) return undefined;
    stanzas.push(decoded.stanza);
    at = decoded.next;
  }
  return stanzas;
}

function computeMac(covered: Uint8Array, fileKey: Uint8Array): Uint8Array {
  const key = deriveKey(fileKey, new Uint8Array(0), 'header');
  return createHmac('sha256', key).update(covered).digest();
}

import { createPublicKey, hash, verify } from 'node:crypto';
import { fingerprintOf } from './ssh-fingerprint.ts';

/**
 * The fingerprint of the key that made an armoured signature over exactly `data`, when it is an Ed25519 key, as those
 * of hosts are: a repository has hundreds of such signatures, and ssh-keygen takes a process for each. Source:
 * PROTOCOL.sshsig of OpenSSH, and RFC 8709 for key and signature.
 * @returns `undefined` when it is anything else, or not good: ssh-keygen knows other keys, and says what is wrong
 */
export function ed25519SignerOf(
  data: string | Uint8Array,
  signature: string,
  namespace: string,
): string | undefined {
  const parts = parse(signature);
  if (parts === undefined || parts.namespace.toString() !== namespace) return undefined;
  const { publicKey, reserved, algorithm } = parts;
  const point = ed25519Of(publicKey, 32);
  const made = ed25519Of(parts.signature, 64);
  if (point === undefined || made === undefined || !/^sha(256|512)$/.test(algorithm.toString()))
    return undefined;
  const digest = hash(algorithm.toString(), data, 'buffer');
  const signed = Buffer.concat([magic, ...[parts.namespace, reserved, algorithm, digest].flatMap(asString)]);
  return verify(null, signed, keyOf(point), made) ? fingerprintOf(publicKey) : undefined;
}

const magic = Buffer.from('SSHSIG');
const version = Buffer.from([0, 0, 0, 1]);
const armour = /^-----BEGIN SSH SIGNATURE-----\n([\w+/\n]+={0,2})\n-----END SSH SIGNATURE-----\n?$/;

type Parts = Record<'publicKey' | 'namespace' | 'reserved' | 'algorithm' | 'signature', Buffer>;

function parse(signature: string): Parts | undefined {
  const bytes = Buffer.from(armour.exec(signature)?.[1] ?? '', 'base64');
  const head = Buffer.concat([magic, version]);
  if (!bytes.subarray(0, head.length).equals(head)) return undefined;
  const [publicKey, namespace, reserved, algorithm, made, ...more] = stringsIn(bytes.subarray(head.length));
  if (made === undefined || more.length > 0) return undefined;
  return {
    publicKey: publicKey!,
    namespace: namespace!,
    reserved: reserved!,
    algorithm: algorithm!,
    signature: made,
  };
}

/** The key or signature in what names its kind before it, if it is of this kind and as long as these are. */
function ed25519Of(bytes: Buffer, length: number): Buffer | undefined {
  const [kind, value, ...more] = stringsIn(bytes);
  const isOne = kind?.toString() === 'ssh-ed25519' && value?.length === length && more.length === 0;
  return isOne ? value : undefined;
}

/** RFC 4251: each with its length, four bytes, before it. None when they do not end where the bytes do. */
function stringsIn(bytes: Buffer): Buffer[] {
  const strings: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 > bytes.length ? Infinity : at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) return [];
    strings.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return strings;
}

function asString(bytes: Uint8Array): Uint8Array[] {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return [length, bytes];
}

function keyOf(point: Buffer) {
  const key = { kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') };
  return createPublicKey({ key, format: 'jwk' });
}

import { access, constants, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf, messageOf, SignatureError } from './errors.ts';
import { type CommandResult, runCommand } from './run-command.ts';
import { ed25519SignerOf } from './ssh-ed25519.ts';

/**
 * Detached SSH signatures, made and checked by `ssh-keygen -Y` (OpenSSH 8.2 or newer), so that keys may live in an
 * agent or on a security token, and anybody can check a signature without us. Source: ssh-keygen(1), and
 * PROTOCOL.sshsig of OpenSSH.
 */

/** Who made a signature. */
export interface Signer {
  /** The name the allowed-signers file gives the key. */
  principal: string;
  /** `SHA256:…`, as every ssh tool prints it. */
  fingerprint: string;
}

/**
 * Keep a signature made for dockerctl from being taken for a signature of a commit or a login, and one of a snapshot,
 * which a host makes every night, from being taken for one of a release. Allowed signers may be limited to either.
 */
export const signatureNamespaces = { release: 'dockerctl', snapshot: 'dockerctl-snapshot' } as const;
export type SignatureNamespace = (typeof signatureNamespaces)[keyof typeof signatureNamespaces];

/**
 * Signs `data` with the private key in `keyFile`; the public half (`.pub`) selects a key held by the agent.
 * @returns the armoured signature.
 * @throws {SignatureError} when the key cannot be used.
 */
export async function signWithSshKey(
  data: string | Uint8Array,
  keyFile: string,
  namespace: SignatureNamespace = signatureNamespaces.release,
): Promise<string> {
  const { status, stdout, stderr } = await sshKeygen(['sign', '-f', keyFile, '-n', namespace], data);
  if (status === 0) return stdout;
  throw cannotSign(keyFile, reasonIn(stderr));
}

/**
 * Whether there is such a key, asked before the work whose result it is to sign.
 * @throws {SignatureError} when it cannot be read
 */
export async function requireSshKey(keyFile: string): Promise<void> {
  await access(keyFile, constants.R_OK).catch((cause: unknown) => {
    throw cannotSign(keyFile, codeOf(cause) === 'ENOENT' ? 'there is no such file' : messageOf(cause));
  });
}

function cannotSign(keyFile: string, reason: string): SignatureError {
  return new SignatureError(`signing with ${keyFile}: ${reason}`, {
    advice: 'Give a readable private key; for one with a passphrase run ssh-add, then give its .pub file',
    facts: { key: keyFile },
  });
}

/** Nothing can be signed or checked here. */
export class SshKeygenMissingError extends SignatureError {}

export interface VerifyOptions {
  /** Path of the allowed-signers file. */
  allowedSigners: string;
  /** Names the data in errors. */
  what: string;
  namespace?: SignatureNamespace;
}

/**
 * Checks that `signature` was made over exactly `data` by somebody listed in the allowed-signers file.
 * @throws {SignatureError} when it was altered, or its signer is not listed, or not for this namespace or this time.
 */
export async function verifySshSignature(
  data: string | Uint8Array,
  signature: string,
  { allowedSigners, what, namespace = signatureNamespaces.release }: VerifyOptions,
): Promise<Signer> {
  await requireSigners(allowedSigners);
  return await withSignatureFile(signature, async (file) => {
    const fingerprint = await fingerprintOfSigner(data, file, what, namespace);
    for (const principal of await principalsOf(file, allowedSigners)) {
      const args = ['verify', '-f', allowedSigners, '-I', principal, '-n', namespace, '-s', file];
      if ((await sshKeygen(args, data)).status === 0) return { principal, fingerprint };
    }
    throw new SignatureError(
      `verifying ${what}: it is signed by ${fingerprint}, whom ${allowedSigners} does not allow`,
      { advice: signerAdvice[namespace], facts: { fingerprint, allowedSigners } },
    );
  });
}

/**
 * The fingerprint of the key that signed `data`, whoever's it is.
 * @throws {SignatureError} when `signature` was not made over exactly `data`.
 */
export async function sshSignatureFingerprint(
  data: string | Uint8Array,
  signature: string,
  what: string,
  namespace: SignatureNamespace = signatureNamespaces.release,
): Promise<string> {
  const known = ed25519SignerOf(data, signature, namespace);
  return (
    known ?? (await withSignatureFile(signature, (file) => fingerprintOfSigner(data, file, what, namespace)))
  );
}

/** A snapshot was not fetched from anywhere: most often the key of its host has changed. */
const signerAdvice: Record<SignatureNamespace, string> = {
  dockerctl:
    'Get the file again from where it was made, or add the key to the allowed signers if you trust it',
  'dockerctl-snapshot': 'Add the key to the allowed signers if you trust it',
};

async function fingerprintOfSigner(
  data: string | Uint8Array,
  file: string,
  what: string,
  namespace: SignatureNamespace,
): Promise<string> {
  const result = await sshKeygen(['check-novalidate', '-n', namespace, '-s', file], data);
  const fingerprint = /\bSHA256:\S+/.exec(result.stdout)?.[0];
  if (result.status === 0 && fingerprint !== undefined) return fingerprint;
  throw new SignatureError(`verifying ${what}: its signature does not match: ${reasonIn(result.stderr)}`, {
    advice: 'It was altered after it was signed, or damaged: get it again from where it was made',
  });
}

/** Of a file that is missing, ssh-keygen says no more than that nobody in it matches. */
async function requireSigners(allowedSigners: string): Promise<void> {
  await access(allowedSigners, constants.R_OK).catch((cause: unknown) => {
    const why = codeOf(cause) === 'ENOENT' ? 'there is no such file' : messageOf(cause);
    throw new SignatureError(`reading the allowed signers ${allowedSigners}: ${why}`, {
      advice: 'Write it as ssh-keygen(1) describes under ALLOWED SIGNERS',
      facts: { allowedSigners },
      cause,
    });
  });
}

/** Older versions print one matching line's names as they stand, separated by commas; newer ones one name a line. */
async function principalsOf(file: string, allowedSigners: string): Promise<string[]> {
  const { status, stdout, stderr } = await sshKeygen(['find-principals', '-f', allowedSigners, '-s', file]);
  if (/unable to open|cannot read|permission denied/i.test(stderr)) {
    throw new SignatureError(`reading allowed signers: ${reasonIn(stderr)}`, {
      advice: `Write ${allowedSigners} as ssh-keygen(1) describes under ALLOWED SIGNERS`,
      facts: { allowedSigners },
    });
  }
  return status === 0 ? stdout.split(/[\n,]/).filter((name) => name !== '') : [];
}

async function sshKeygen(args: readonly string[], input: string | Uint8Array = ''): Promise<CommandResult> {
  try {
    return await runCommand('ssh-keygen', ['-Y', ...args], { input });
  } catch (cause) {
    if (codeOf((cause as Error).cause) !== 'ENOENT') throw cause;
    throw new SshKeygenMissingError('running ssh-keygen: it is not installed', {
      advice: 'Install the package openssh-client (Debian) or openssh-clients (Red Hat)',
      cause,
    });
  }
}

/** ssh-keygen reads what it checks from standard input and the signature from a file only. */
async function withSignatureFile<T>(signature: string, use: (file: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'dockerctl-signature-'));
  try {
    const file = join(directory, 'signature');
    await writeFile(file, signature, { mode: 0o600 });
    return await use(file);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function reasonIn(stderr: string): string {
  if (/^Enter passphrase/m.test(stderr)) return 'it is protected by a passphrase';
  const lines = stderr.split('\n').map((line) => line.trim());
  return (
    lines.filter((line) => line !== '' && line !== 'Signing data on standard input').at(-1) ??
    'no reason given'
  );
}

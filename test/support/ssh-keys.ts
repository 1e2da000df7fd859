import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A key pair made for one test; `privateKey` is its file, the public half lies beside it with `.pub`. */
export function makeSshKey(
  directory: string,
  name: string,
  { passphrase = '', type = 'ed25519' } = {},
): string {
  const privateKey = join(directory, name);
  const args = ['-q', '-t', type, '-N', passphrase, '-C', name, '-f', privateKey];
  const { status, stderr, error } = spawnSync('ssh-keygen', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ssh-keygen (package openssh-client): ${error?.message ?? stderr}`);
  return privateKey;
}

/** Writes an allowed-signers file that gives each key the names and options in front of it. */
export function writeAllowedSigners(file: string, signers: readonly { key: string; as: string }[]): string {
  const lines = signers.map(({ key, as }) => `${as} ${readFileSync(`${key}.pub`, 'utf8')}`);
  writeFileSync(file, lines.join(''));
  return file;
}

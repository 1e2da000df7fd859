import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Here } from '../../backup/own-snapshots.ts';
import { isRemote } from '../../backup/remote/address.ts';
import type { Identity } from '../../repository/age/keys.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Origin } from '../../repository/snapshot/origin.ts';
import {
  codeOf,
  InterruptedError,
  messageOf,
  NotFoundError,
  SignatureError,
  UsageError,
} from '../../support/errors.ts';
import type { Session } from '../context.ts';
import { askForLine } from '../typed-line.ts';
import { isDeploymentNamed } from './deployment-file.ts';
import { repeated } from './repeated.ts';

/** Behind the help of commands that take snapshots. */
export const snapshotNames =
  '\nA snapshot is named by its id, by the beginning of it, or as latest: the newest complete one.';

/** The option of every command that reads backups: on a bare machine there is no deployment file to ask. */
export const repositoryOption = [
  '-r, --repository <dir>',
  'directory of the backups, instead of the one the deployment file names',
] as const;

/** The option of every command that reads what is inside encrypted backups. */
export const identityOption = [
  '-i, --identity <file>',
  'private key that opens encrypted backups, as `backup key generate` printed it; - is standard input; may be repeated',
  repeated,
] as const;

/** Opens the repository that was named, else the deployment's, with the private keys of a file where one is named. */
export async function openBackupRepository(
  session: Session,
  named: string | undefined,
  identityFiles: readonly string[] = [],
): Promise<Repository> {
  const { openRepository } = await import('../../repository/open.ts');
  const directory = await backupDirectory(session, named);
  const identities = await readIdentities(session, identityFiles);
  if (named !== undefined) return openRepository(directory, session.context, { identities });
  const { ownProof } = await import('../../backup/own-snapshots.ts');
  const proof = await ownProof(await session.deployment(), directory, hereOf(session));
  return openRepository(directory, session.context, {
    identities,
    origin: { ...(await ownOrigin(session)), ...proof },
  });
}

/** What this host's own snapshots say of where they come from. */
export async function ownOrigin(session: Session): Promise<Origin> {
  return { deployment: (await session.deployment()).name, host: hostname() };
}

/** Where `ownSnapshots` finds this host's own. */
export function hereOf({ context: { stateDir } }: Session): Here {
  return { host: hostname(), stateDir };
}

/** The same for who brings something: where there is none, it is created. */
export async function openOrCreateBackupRepository(
  session: Session,
  named: string | undefined,
): Promise<Repository> {
  const { openOrCreateRepository } = await import('../../repository/open.ts');
  return openOrCreateRepository(await backupDirectory(session, named), session.context);
}

/** The private keys in these files; `-` is standard input. */
export async function readIdentities(session: Session, files: readonly string[] = []): Promise<Identity[]> {
  const identities: Identity[] = [];
  for (const file of files) identities.push(...(await identitiesIn(session, file)));
  return identities;
}

async function identitiesIn(session: Session, file: string): Promise<Identity[]> {
  const {
    io,
    context: { signal },
  } = session;
  const { decodeIdentities } = await import('../../repository/age/keys.ts');
  if (file === '-') {
    const key = io.stdin.isTTY
      ? typedKey(session)
      : text(addAbortSignal(signal, io.stdin as unknown as Readable));
    return decodeIdentities(await key, 'standard input');
  }
  const path = resolve(io.workingDirectory, file);
  const content = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new SignatureError(`reading the private key from ${path}: ${whyUnreadable(cause)}`, {
      advice: 'Name the file that holds the key, or - to type or paste it, with --identity',
      cause,
    });
  });
  return decodeIdentities(content, path);
}

/** The key, or its whole file pasted: what comes before the key are comments. */
async function typedKey({ io, context: { signal } }: Session): Promise<string> {
  const prompt = 'private key (AGE-SECRET-KEY-1…, not shown): ';
  const isAnswer = (line: string) => !/^\s*(#|$)/.test(line);
  const key = await askForLine(io, { prompt, secret: true, isAnswer }, signal);
  signal.throwIfAborted();
  if (key === undefined) throw new InterruptedError('no private key was given: nothing was done');
  return key;
}

function whyUnreadable(cause: unknown): string {
  const code = codeOf(cause);
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a directory';
  return code === 'EACCES' ? 'this user may not read it' : messageOf(cause);
}

/** Where the backups are. */
async function backupDirectory(session: Session, named: string | undefined): Promise<string> {
  if (named !== undefined) {
    requireHere(named);
    return resolve(session.io.workingDirectory, named);
  }
  const { backup, file } = await session.deployment().catch((error: unknown) => {
    throw isDeploymentNamed(session) || !(error instanceof NotFoundError) ? error : onBareMachine(error);
  });
  if (backup !== undefined) return backup.repository;
  throw new UsageError(`looking for the backups of ${file}: it has no x-dockerctl.backup`, {
    advice: 'Name their directory with --repository DIR',
  });
}

/** Where the deployment file is lost, the backups bring it back. */
function onBareMachine({ message, facts }: NotFoundError): NotFoundError {
  return new NotFoundError(message, {
    advice: 'Name the directory of the backups with --repository DIR, or the deployment file with --file',
    facts,
  });
}

function requireHere(named: string): void {
  if (!isRemote(named)) return;
  throw new UsageError(`--repository ${named}: this command reads directories of this host only`, {
    advice: 'Name a directory; what is on another host is looked at there',
  });
}

import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { messageOf } from '../support/errors.ts';
import type { DeploymentDocument, Path } from './document/document.ts';
import type { Variables } from './document/interpolate.ts';
import { readTrustedFile } from './trust/trusted-file.ts';

const path: Path = ['x-dockerctl', 'release'];

/**
 * The release a deployment file names, as text or as `{file, key}`: a dotted key into a YAML or JSON file. It is read
 * before everything else because `${RELEASE}` may stand anywhere. `undefined` when it names none.
 *
 * @throws UsageError
 */
export async function readRelease(
  document: DeploymentDocument,
  variables: Variables,
): Promise<string | undefined> {
  const located = document.resolve(path, variables);
  if (located === undefined) return undefined;
  const line = located.lineOf([]);
  const refuse = (message: string, at: Path = path) => {
    return document.problem(
      at,
      line,
      message,
      'Write a version such as "1.4", or {file: PATH, key: DOTTED.KEY}',
    );
  };
  const release = isReference(located.value) ? await lookUp(document, located.value, refuse) : located.value;
  if (typeof release === 'number') throw refuse(`must be text: put ${release} in quotes`);
  if (typeof release !== 'string') throw refuse('must be text, or a map of file and key');
  checkRelease(release, (message) => refuse(message));
  return release;
}

/** A release is part of container names and image tags. `refuse` makes the error that is thrown. */
export function checkRelease(release: string, refuse: (message: string) => Error): void {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(release)) return;
  throw refuse(`${JSON.stringify(release)} is no release: letters, digits, "_", "." and "-" are allowed`);
}

interface Reference {
  file: string;
  key: string;
}

function isReference(value: unknown): value is Reference {
  if (typeof value !== 'object' || value === null) return false;
  const { file, key, ...others } = value as Record<string, unknown>;
  return typeof file === 'string' && typeof key === 'string' && Object.keys(others).length === 0;
}

async function lookUp(
  document: DeploymentDocument,
  { file, key }: Reference,
  refuse: (message: string, at?: Path) => Error,
): Promise<unknown> {
  const versionFile = resolve(dirname(document.file), file);
  const text = await readTrustedFile(versionFile, 'release file').catch((error: unknown) => {
    throw refuse(messageOf(error), [...path, 'file']);
  });
  let value: unknown;
  try {
    value = parse(text, { schema: 'failsafe' });
  } catch (error) {
    throw refuse(`${versionFile} is neither YAML nor JSON: ${messageOf(error).split('\n')[0]}`, [
      ...path,
      'file',
    ]);
  }
  for (const part of key.split('.')) {
    value =
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[part] : undefined;
  }
  if (value === undefined || value === null)
    throw refuse(`${versionFile} has no key ${key}`, [...path, 'key']);
  return value;
}

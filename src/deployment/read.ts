import { dirname, join, resolve } from 'node:path';
import { NotFoundError, UsageError } from '../support/errors.ts';
import { buildDeployment } from './build/deployment.ts';
import type { Deployment } from './deployment.ts';
import { DeploymentDocument, type Located } from './document/document.ts';
import { EnvironmentFileProblem, parseEnvironmentFile } from './document/environment-file.ts';
import { withoutExtensions } from './document/extension-keys.ts';
import type { Variables } from './document/interpolate.ts';
import { checkRelease, readRelease } from './release.ts';
import { deploymentFile, type WrittenFile } from './schema/file.ts';
import { missing, problemsOf } from './schema/issues.ts';
import { readTrustedFile } from './trust/trusted-file.ts';

export interface ReadOptions {
  /** Stands for the release that the file names. */
  release?: string;
  /** What the file says, where it is not there to be read. */
  text?: string;
  /** Where `${NAME}` is looked up first; the file `.env` beside the deployment file comes second. */
  environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads a deployment file: checked, every variable replaced, every path absolute, services in the order in which they
 * start. Nothing in it is ignored: what is not supported is refused.
 *
 * @throws NotFoundError when there is no such file
 * @throws UsageError with the facts `file`, `line` and `key`
 */
export async function readDeployment(
  file: string,
  { release, text, environment }: ReadOptions,
): Promise<Deployment> {
  const path = resolve(file);
  const document = new DeploymentDocument(path, text ?? (await readTrustedFile(path, 'deployment file')));
  const variables = await readVariables(path, environment);
  if (release !== undefined) checkRelease(release, (message) => new UsageError(message));
  const named = release ?? (await readRelease(document, variables));
  const located = document.resolve([], (name) => (name === 'RELEASE' ? named : undefined) ?? variables(name));
  if (located === undefined) throw document.problem([], 1, 'it is empty');
  return buildDeployment(check(document, located), {
    file: path,
    release: named,
    variables,
    problem: (at, message, advice) => document.problem(at, located.lineOf(at), message, advice),
    readEnvironmentFile: (at) => readEnvironmentFile(at, variables),
  });
}

/** The environment, then the `.env` file. */
async function readVariables(file: string, environment: ReadOptions['environment']): Promise<Variables> {
  const outer: Variables = (name) => environment[name];
  const values = await readEnvironmentFile(join(dirname(file), '.env'), outer);
  return (name) => outer(name) ?? values?.[name];
}

/** `undefined` when there is no such file. */
async function readEnvironmentFile(
  path: string,
  variables: Variables,
): Promise<Record<string, string> | undefined> {
  try {
    return parseEnvironmentFile(await readTrustedFile(path, 'environment file'), variables);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    if (!(error instanceof EnvironmentFileProblem)) throw error;
    const facts = { file: path, line: error.line };
    throw new UsageError(`${path}:${error.line}: ${error.message}`, { facts, cause: error });
  }
}

/**
 * The first problem of the file is the error; the places of the others are its advice. A missing key comes last: most
 * often one that is not known is the same, misspelt.
 */
function check(document: DeploymentDocument, located: Located): WrittenFile {
  const own = withoutExtensions(located.value);
  const result = deploymentFile.safeParse(own);
  if (result.success) return result.data;
  const problems = problemsOf(result.error.issues, own)
    .map((problem) => ({ ...problem, line: located.lineOf(problem.path) }))
    .sort((a, b) => Number(a.message === missing) - Number(b.message === missing) || a.line - b.line);
  const [first, ...others] = problems;
  if (first === undefined) throw result.error;
  const lines = [...new Set(others.map(({ line }) => line))].filter((line) => line !== first.line);
  const advice =
    lines.length === 0 ? undefined : `there is more to mend in line ${lines.slice(0, 10).join(', ')}`;
  throw document.problem(first.path, first.line, first.message, advice);
}

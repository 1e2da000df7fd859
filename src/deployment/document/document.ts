import { isMap, isNode, LineCounter, parseAllDocuments, type Document as YamlDocument } from 'yaml';
import { UsageError } from '../../support/errors.ts';
import type { Variables } from './interpolate.ts';
import { NodeReader, type Path } from './node-reader.ts';

export type { Path } from './node-reader.ts';

/** A value of the file with every variable replaced, and where each part of it is written. */
export interface Located {
  /** Plain maps, lists and scalars. */
  value: unknown;
  /** The line of the last part of `path` that the file has. */
  lineOf(path: Path): number;
}

/** A deployment file as YAML: parsed, with anchors and merge keys, not yet interpolated. */
export class DeploymentDocument {
  readonly file: string;
  readonly #yaml: YamlDocument;
  readonly #lines = new LineCounter();

  /** @throws UsageError when it is not one YAML document with a map in it */
  constructor(file: string, text: string) {
    this.file = file;
    const parsed = parseAllDocuments(text, { lineCounter: this.#lines, prettyErrors: false });
    const [first, second] = 'empty' in parsed ? [] : parsed;
    const error = first?.errors[0];
    if (error !== undefined)
      throw this.problem([], this.#lineAt(error.pos[0]), `no valid YAML: ${error.message}`);
    if (second !== undefined)
      throw this.problem([], this.#lineAt(second.range[0]), 'a second document begins');
    if (!isMap(first?.contents)) throw this.problem([], 1, 'a deployment file must be a map of keys');
    this.#yaml = first as YamlDocument;
  }

  /** The value at `path` with its variables replaced; `undefined` when the file has none. */
  resolve(path: Path, variables: Variables): Located | undefined {
    const node = path.length === 0 ? this.#yaml.contents : this.#yaml.getIn(path, true);
    if (!isNode(node)) return undefined;
    const reader = new NodeReader(
      { yaml: this.#yaml, lineAt: (offset) => this.#lineAt(offset), problem: this.problem.bind(this) },
      variables,
    );
    const value = reader.read(node, path);
    return { value, lineOf: (at) => reader.lineOf(value, at, node) };
  }

  /** An error that names file, line and key. */
  problem(path: Path, line: number, message: string, advice?: string): UsageError {
    const key = keyOf(path);
    const place = key === '' ? `${this.file}:${line}` : `${this.file}:${line}: ${key}`;
    return new UsageError(`${place}: ${message}`, {
      ...(advice !== undefined && { advice }),
      facts: { file: this.file, line, ...(key !== '' && { key }) },
    });
  }

  #lineAt(offset: number): number {
    return this.#lines.linePos(offset).line;
  }
}

/** `services.web.ports[0]`. */
function keyOf(path: Path): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./, '');
}

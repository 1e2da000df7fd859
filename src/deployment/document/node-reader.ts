import {
  type Alias,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
  type Document as YamlDocument,
} from 'yaml';
import { InterpolationProblem, interpolate, type Variables } from './interpolate.ts';

export type Path = readonly (string | number)[];

/** Aliases may unfold to so many nodes; beyond it somebody plays tricks. */
const nodeLimit = 100_000;

/** What a reader needs to know of the file. */
export interface Source {
  yaml: YamlDocument;
  lineAt(offset: number): number;
  problem(path: Path, line: number, message: string, advice?: string): Error;
}

/** Turns nodes into plain values, variables replaced, and remembers the line of every key and item. */
export class NodeReader {
  readonly #source: Source;
  readonly #variables: Variables;
  readonly #lines = new WeakMap<object, Map<string | number, number>>();
  /** What the aliases on the way to the present node name. */
  readonly #unfolding = new Set<Node>();
  #nodes = 0;

  constructor(source: Source, variables: Variables) {
    this.#source = source;
    this.#variables = variables;
  }

  read(node: unknown, path: Path): unknown {
    if (++this.#nodes > nodeLimit) throw this.#problem(node, path, 'its aliases unfold to too much');
    if (isAlias(node)) return this.#readAlias(node, path);
    if (isMap(node)) return this.#readMap(node, path);
    if (isSeq(node)) return this.#readList(node, path);
    return isScalar(node) ? this.#readScalar(node, path) : null;
  }

  /** The line of the last part of `path` that `root`, which was read from `top`, has. */
  lineOf(root: unknown, path: Path, top: Node): number {
    let line = this.#lineOfNode(top);
    let value = root;
    for (const part of path) {
      if (typeof value !== 'object' || value === null) break;
      line = this.#lines.get(value)?.get(part) ?? line;
      value = (value as Record<string | number, unknown>)[part];
    }
    return line;
  }

  #readAlias(node: Alias, path: Path): unknown {
    const target = node.resolve(this.#source.yaml);
    if (target === undefined) throw this.#problem(node, path, `there is no anchor &${node.source}`);
    if (this.#unfolding.has(target)) {
      throw this.#problem(node, path, `*${node.source} stands inside of what it names`);
    }
    this.#unfolding.add(target);
    const value = this.read(target, path);
    this.#unfolding.delete(target);
    return value;
  }

  #readList(node: YAMLSeq, path: Path): unknown[] {
    const values = node.items.map((item, index) => this.read(item, [...path, index]));
    this.#lines.set(values, new Map(node.items.map((item, index) => [index, this.#lineOfNode(item)])));
    return values;
  }

  #readMap(node: YAMLMap, path: Path): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    const lines = new Map<string | number, number>();
    for (const pair of node.items.filter(isMerge)) this.#merge(pair.value, path, values, lines);
    for (const pair of node.items.filter((item) => !isMerge(item))) {
      const key = isScalar(pair.key) ? String(pair.key.value ?? '') : '__proto__';
      if (key === '__proto__') throw this.#problem(pair.key, path, 'a key must be text');
      values[key] = this.read(pair.value, [...path, key]);
      lines.set(key, this.#lineOfNode(pair.key));
    }
    this.#lines.set(values, lines);
    return values;
  }

  /** `<<: *a` and `<<: [*a, *b]`: earlier ones win, the map's own keys over all. */
  #merge(
    node: unknown,
    path: Path,
    into: Record<string, unknown>,
    lines: Map<string | number, number>,
  ): void {
    const source = this.read(node, path);
    for (const map of Array.isArray(source) ? source : [source]) {
      const known = typeof map === 'object' && map !== null ? this.#lines.get(map) : undefined;
      if (known === undefined || Array.isArray(map)) throw this.#problem(node, path, '<< must name a map');
      for (const [key, value] of Object.entries(map)) {
        if (key in into) continue;
        into[key] = value;
        lines.set(key, known.get(key) ?? this.#lineOfNode(node));
      }
    }
  }

  #readScalar(node: Scalar, path: Path): unknown {
    if (typeof node.value !== 'string') return node.value;
    try {
      return interpolate(node.value, this.#variables);
    } catch (error) {
      if (!(error instanceof InterpolationProblem)) throw error;
      throw this.#source.problem(path, this.#lineOfNode(node), error.message, error.advice);
    }
  }

  #lineOfNode(node: unknown): number {
    return this.#source.lineAt((isNode(node) ? node.range?.[0] : undefined) ?? 0);
  }

  #problem(node: unknown, path: Path, message: string): Error {
    return this.#source.problem(path, this.#lineOfNode(node), message);
  }
}

function isMerge(pair: Pair): boolean {
  return isScalar(pair.key) && pair.key.value === '<<' && pair.key.type === 'PLAIN';
}

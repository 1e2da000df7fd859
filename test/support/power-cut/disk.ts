import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { random } from '../random.ts';
import type { Operation } from './record.ts';

/** A file or directory: what programs see, and what would be left of it after a power cut. */
interface Node {
  kind: 'file' | 'directory';
  bytes: Buffer;
  durableBytes: Buffer;
  names: Names;
  durableNames: Names;
}

type Names = Map<string, Node>;

/** What one operation did to directories: all of it survives or none, for file systems keep a journal of such. */
type NameChange = { directory: Node; name: string; node: Node | undefined }[];

/**
 * What may be on a disk when power is cut. `synced`: nothing but what was synced, the least that POSIX promises;
 * `names`: new names, but of the content only what was synced; `some`: of what was not synced, some names and contents,
 * at random; `everything`: nothing is lost, as after a kill.
 */
export type Survivors = 'synced' | 'names' | 'some' | 'everything';

/** A model of a file system that forgets what was not synced, as badly as POSIX allows. */
export class Disk {
  readonly #root: string;
  readonly #top: Node;
  /** Not synced yet. */
  #pending: NameChange[] = [];
  readonly #open = new Map<number, { node: Node; offset: number }>();

  /** @param root directory whose present content counts as synced long ago */
  constructor(root: string) {
    this.#root = root;
    this.#top = load(root);
  }

  apply(operation: Operation): void {
    switch (operation.call) {
      case 'open':
        this.#openFile(operation);
        break;
      case 'write':
        this.#write(operation);
        break;
      case 'truncate': {
        const { node } = this.#open.get(operation.file)!;
        node.bytes = Buffer.concat([node.bytes, Buffer.alloc(operation.length)]).subarray(
          0,
          operation.length,
        );
        break;
      }
      case 'sync':
        this.#sync(this.#open.get(operation.file)!.node);
        break;
      case 'close':
        this.#open.delete(operation.file);
        break;
      case 'rename':
        this.#changeNames([operation.from, undefined], [operation.to, this.#find(operation.from)]);
        break;
      case 'unlink':
        this.#changeNames([operation.path, undefined]);
        break;
      case 'mkdir':
        this.#changeNames([operation.path, emptyNode('directory')]);
    }
  }

  /** Makes the files that would be found at `target`. */
  materialize(target: string, survivors: Survivors): void {
    const names = survivors === 'some' ? this.#someNames() : new Map<Node, Names>();
    write(this.#top, target, survivors, names);
  }

  #sync(node: Node): void {
    node.durableBytes = node.bytes;
    node.durableNames = new Map(node.names);
    this.#pending = this.#pending.map((change) => change.filter(({ directory }) => directory !== node));
  }

  #changeNames(...changes: [path: string, node: Node | undefined][]): void {
    const change = changes.map(([path, node]) => ({
      directory: this.#parent(path),
      name: nameOf(path),
      node,
    }));
    applyNames(change, (directory) => directory.names);
    this.#pending.push(change);
  }

  /** Directories as they are when a random half of the operations since their last sync survive. */
  #someNames(): Map<Node, Names> {
    const changed = new Map<Node, Names>();
    const namesOf = (directory: Node): Names => {
      const names = changed.get(directory) ?? new Map(directory.durableNames);
      changed.set(directory, names);
      return names;
    };
    for (const change of this.#pending) if (random() < 0.5) applyNames(change, namesOf);
    return changed;
  }

  #openFile({ file, path, create, truncate }: Extract<Operation, { call: 'open' }>): void {
    let node = this.#find(path);
    if (node === undefined && create) {
      node = emptyNode('file');
      this.#changeNames([path, node]);
    }
    if (node === undefined) throw new Error(`${path} was opened but never made`);
    if (truncate) node.bytes = Buffer.alloc(0);
    this.#open.set(file, { node, offset: 0 });
  }

  #write({ file, bytes, offset }: Extract<Operation, { call: 'write' }>): void {
    const opened = this.#open.get(file)!;
    const at = offset ?? opened.offset;
    const before = Buffer.concat([opened.node.bytes, Buffer.alloc(at)]).subarray(0, at);
    opened.node.bytes = Buffer.concat([before, bytes, opened.node.bytes.subarray(at + bytes.length)]);
    if (offset === undefined) opened.offset = at + bytes.length;
  }

  #parent(path: string): Node {
    const node = this.#find(dirname(path));
    if (node === undefined) throw new Error(`${path} has no directory`);
    return node;
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#top;
    for (const name of path.slice(this.#root.length).split('/')) {
      if (name !== '') node = node?.names.get(name);
    }
    return node;
  }
}

function emptyNode(kind: Node['kind']): Node {
  return {
    kind,
    bytes: Buffer.alloc(0),
    durableBytes: Buffer.alloc(0),
    names: new Map(),
    durableNames: new Map(),
  };
}

function load(path: string): Node {
  const node = emptyNode(lstatSync(path).isDirectory() ? 'directory' : 'file');
  if (node.kind === 'file') node.bytes = readFileSync(path);
  else for (const name of readdirSync(path)) node.names.set(name, load(join(path, name)));
  node.durableBytes = node.bytes;
  node.durableNames = new Map(node.names);
  return node;
}

function applyNames(change: NameChange, namesOf: (directory: Node) => Names): void {
  for (const { directory, name, node } of change) {
    if (node === undefined) namesOf(directory).delete(name);
    else namesOf(directory).set(name, node);
  }
}

function write(node: Node, path: string, survivors: Survivors, some: Map<Node, Names>): void {
  if (node.kind === 'file') {
    const all = survivors === 'everything' || (survivors === 'some' && random() < 0.5);
    writeFileSync(path, all ? node.bytes : node.durableBytes);
    return;
  }
  mkdirSync(path, { recursive: true });
  const surviving = survivors === 'names' || survivors === 'everything' ? node.names : node.durableNames;
  for (const [name, child] of some.get(node) ?? surviving) write(child, join(path, name), survivors, some);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

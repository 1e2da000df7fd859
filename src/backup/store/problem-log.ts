import { replaced, type SourceWriter } from '../../repository/run/run.ts';
import { toText } from '../../support/posix/byte-path.ts';
import type { WalkProblem } from '../walk/walk.ts';

/** What went wrong or was noteworthy while one source was saved, as the sentences its summary will hold. */
export class ProblemLog {
  readonly #writer: Pick<SourceWriter, 'warn' | 'fail'>;
  readonly #show: (path: string) => string;
  readonly #vanished: Tally = { count: 0, first: '' };
  readonly #sockets: Tally = { count: 0, first: '' };
  readonly #ofKernel: Tally = { count: 0, first: '' };
  readonly #changing: Tally = { count: 0, first: '' };

  /** @param prefix what paths of the tree begin with on the host: `/`, or nothing */
  constructor(writer: Pick<SourceWriter, 'warn' | 'fail'>, prefix: string) {
    this.#writer = writer;
    this.#show = (path) => prefix + toText(path);
  }

  fail(message: string): void {
    this.#writer.fail(message);
  }

  /** What the operator named is a link: what it points at is not in the source. Returns the sentence that says so. */
  isLink(path: string): string {
    const message = `${this.#show(path)}: is a symbolic link, and only the link is saved; name what it points at`;
    this.#writer.warn(message);
    return message;
  }

  /** A further name of a file that the filter leaves out: there is nothing that it could be a name of. */
  linkedToLeftOut(path: string, first: string): void {
    this.fail(`${this.#show(path)}: is another name of ${this.#show(first)}, which is left out`);
  }

  inWalk({ kind, path, code = '' }: WalkProblem): void {
    if (kind === 'missing') this.fail(`${this.#show(path)}: does not exist`);
    else if (kind === 'unreadable') this.unreadable(path, code);
    else if (kind === 'vanished') this.#count(this.#vanished, path);
    else this.#count(kind === 'kernel' ? this.#ofKernel : this.#sockets, path);
  }

  /**
   * A file that vanished before it was read does not spoil a source; one that is there and cannot be read does.
   * @param code the system's, or `replaced`
   */
  unreadable(path: string, code: string): void {
    if (code === 'ENOENT') this.#count(this.#vanished, path);
    else if (code === replaced)
      this.fail(`${this.#show(path)}: was replaced again and again, or by a directory, while it was read`);
    else this.fail(`${this.#show(path)}: cannot be read (${code})`);
  }

  /** It was written to while it was read. */
  changing(path: string): void {
    this.#count(this.#changing, path);
  }

  /** Writes down what was only counted so far. */
  finish(): void {
    this.#sum(this.#vanished, 'vanished before being read');
    this.#sum(this.#changing, 'changed while being read');
    this.#sum(this.#ofKernel, 'left out: the kernel shows its own state there, not files');
    this.#sum(this.#sockets, 'left out: a socket has no content');
  }

  #count(tally: Tally, path: string): void {
    tally.count++;
    if (tally.count === 1) tally.first = this.#show(path);
  }

  #sum({ count, first }: Tally, what: string): void {
    if (count > 0) this.#writer.warn(`${first}${count > 1 ? ` and ${count - 1} more` : ''}: ${what}`);
  }
}

interface Tally {
  count: number;
  first: string;
}

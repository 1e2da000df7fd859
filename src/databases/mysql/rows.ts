/** What a statement of several rows may take: a fraction of what every server accepts. */
const statementLimit = 512 * 1024;
const newline = 0x0a;

/** Statements of a dump, and how many rows each database got by them. */
export interface RowCounts {
  tables: Map<string, number>;
  rows: Map<string, number>;
}

/**
 * Joins a dump's statements of one row each, as it is stored, to such of many rows, which load many times faster, and
 * counts what goes by. What procedures and triggers say, between `DELIMITER` lines, is left alone.
 */
export async function* joinRows(
  script: AsyncIterable<Uint8Array>,
  counts: RowCounts,
): AsyncGenerator<Uint8Array> {
  const joiner = new Joiner(counts);
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of script) {
    const text = rest.length === 0 ? Buffer.from(piece) : Buffer.concat([rest, piece]);
    let from = 0;
    for (let to = text.indexOf(newline); to !== -1; to = text.indexOf(newline, from)) {
      joiner.line(text.subarray(from, to + 1));
      from = to + 1;
    }
    rest = text.subarray(from);
    const done = joiner.take();
    if (done !== undefined) yield done;
  }
  joiner.line(rest);
  joiner.end();
  yield joiner.take() ?? Buffer.alloc(0);
}

const insertion =
  /^INSERT INTO `(?:[^`]|``)*`(?: \((?:`(?:[^`]|``)*`|[a-z_]+)(?:, ?(?:`(?:[^`]|``)*`|[a-z_]+))*\))? VALUES (?=\()/;
const insertBytes = Buffer.from('INSERT INTO ');
const endOfRow = Buffer.from(');\n');
const comma = Buffer.from(',');
const semicolon = Buffer.from(';\n');

class Joiner {
  readonly #counts: RowCounts;
  #done: Buffer[] = [];
  /** What the open statement begins with, up to its first row; empty when none is open. */
  #head: Buffer = Buffer.alloc(0);
  #length = 0;
  #database = '';
  #plain = true;

  constructor(counts: RowCounts) {
    this.#counts = counts;
  }

  line(line: Buffer): void {
    const head = this.#plain ? this.#headOf(line) : undefined;
    if (head === undefined) this.#other(line);
    else this.#row(head, line);
  }

  #row(head: Buffer, line: Buffer): void {
    const row = line.subarray(head.length, -2);
    const fits =
      this.#head.length > 0 && head.equals(this.#head) && this.#length + row.length < statementLimit;
    if (!fits) this.end();
    this.#done.push(...(fits ? [comma] : [head]), row);
    this.#head = head;
    this.#length = (fits ? this.#length : 0) + row.length;
    this.#counts.rows.set(this.#database, (this.#counts.rows.get(this.#database) ?? 0) + 1);
  }

  /** Closes the open statement. */
  end(): void {
    if (this.#head.length > 0) this.#done.push(semicolon);
    this.#head = Buffer.alloc(0);
  }

  take(): Buffer | undefined {
    const done = this.#done;
    this.#done = [];
    return done.length === 0 ? undefined : Buffer.concat(done);
  }

  /** Of a statement that is one row and one line. */
  #headOf(line: Buffer): Buffer | undefined {
    if (!startsWith(line, insertBytes) || !line.subarray(-endOfRow.length).equals(endOfRow)) return undefined;
    const { length } = this.#head;
    if (length > 0 && startsWith(line, this.#head) && line[length] === 0x28) return this.#head;
    const head = insertion.exec(line.toString('latin1', 0, 65_536))?.[0];
    return head === undefined ? undefined : line.subarray(0, head.length);
  }

  #other(line: Buffer): void {
    this.end();
    this.#done.push(line);
    if (line.length > 1024) return;
    const text = line.toString('utf8');
    const use = /^USE `((?:[^`]|``)*)`;\n$/.exec(text)?.[1];
    if (use !== undefined) this.#database = use.replaceAll('``', '`');
    if (this.#plain && /^CREATE (TABLE|SEQUENCE) /.test(text))
      this.#counts.tables.set(this.#database, (this.#counts.tables.get(this.#database) ?? 0) + 1);
    if (text.startsWith('DELIMITER ')) this.#plain = text === 'DELIMITER ;\n';
  }
}

function startsWith(line: Buffer, beginning: Buffer): boolean {
  return line.length > beginning.length && line.subarray(0, beginning.length).equals(beginning);
}

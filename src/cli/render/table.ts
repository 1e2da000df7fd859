import type { Io } from '../io.ts';

/**
 * Columns as wide as their widest cell, two spaces apart. Control characters of foreign names cannot reach the
 * terminal.
 */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [header, ...rows].map((row) => row.map(printable));
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/**
 * The same for a terminal of so many columns: where the table is wider, those of the optional columns that say the same
 * in every row are told once, above it.
 * @param optional headers of columns that may go, the first one first
 */
export function renderFittedTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { width, optional }: { width: number; optional: readonly string[] },
): string {
  const table = renderTable(header, rows);
  const at = header.indexOf(optional[0] ?? '');
  if (optional.length === 0 || widest(table) <= width) return table;
  const rest = { width, optional: optional.slice(1) };
  const [first, ...others] = rows.map((row) => row[at] ?? '');
  if (first === undefined || others.some((cell) => cell !== first))
    return renderFittedTable(header, rows, rest);
  const without = (row: readonly string[]) => row.filter((_, column) => column !== at);
  const fitted = renderFittedTable(without(header), rows.map(without), rest);
  return `${header[at]}: ${printable(first)}\n${fitted}`;
}

/** Of the terminal that a table is printed to; elsewhere lines may be as long as they are. */
export function widthOf({ isTTY, columns }: Io['stdout']): number {
  return isTTY === true && columns !== undefined ? columns : Number.POSITIVE_INFINITY;
}

function widest(table: string): number {
  return Math.max(...table.split('\n').map((line) => line.length));
}

/** Control characters, ends of lines, and what turns the direction of the text after it. */
const obeyed = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/**
 * A foreign name (of a file, a tag, a label) without what a terminal would obey: of that, the bytes. `fromEscapedText`
 * takes them back.
 */
export function printable(text: string): string {
  return text.replaceAll(obeyed, (character) =>
    Array.from(Buffer.from(character), (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}

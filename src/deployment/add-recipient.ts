import { realpath, stat } from 'node:fs/promises';
import { isMap, isNode, isPair, isSeq, type Node, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import { replaceDurably } from '../support/durable.ts';
import { FailedError, messageOf, UsageError } from '../support/errors.ts';
import { readTrustedFile } from './trust/trusted-file.ts';

/**
 * Adds an age recipient to those that a deployment file's backups are encrypted to, in one step, and leaves every
 * other byte of the file as it is, and its owner and mode.
 * @throws {UsageError} when the file is written in a way that this cannot be done in.
 */
export async function addRecipient(file: string, recipient: string): Promise<void> {
  const target = await realpath(file);
  const changed = withRecipient(await readTrustedFile(target, 'deployment file'), recipient);
  if (changed === undefined) {
    throw new UsageError(`adding a recipient to ${file}: it is not written in a way that can be added to`, {
      advice: `Add it by hand, under x-dockerctl, backup: recipients: [${recipient}]`,
      facts: { file, recipient },
    });
  }
  await replaceText(target, changed).catch((cause: unknown) => {
    throw new FailedError(`adding a recipient to ${file}: ${messageOf(cause)}`, {
      advice: `Add it by hand, under x-dockerctl, backup: recipients: [${recipient}]`,
      facts: { file, recipient },
      cause,
    });
  });
}

async function replaceText(file: string, text: string): Promise<void> {
  const { mode, uid, gid } = await stat(file);
  await replaceDurably(file, 0o600, async (copy) => {
    await copy.writeFile(text);
    await copy.chown(uid, gid);
    await copy.chmod(mode & 0o777);
  });
}

const place = ['x-dockerctl', 'backup', 'recipients'];

/** The text with the recipient in it; `undefined` when what comes out would not say just that. */
export function withRecipient(text: string, recipient: string): string | undefined {
  const document = parseDocument(text);
  const backup = document.getIn(place.slice(0, -1), true);
  const list = document.getIn(place, true);
  const edit = isSeq(list) ? appendTo(list, text, recipient) : prependTo(backup, text, recipient);
  if (edit === undefined || document.errors.length > 0) return undefined;
  const changed = text.slice(0, edit.at) + edit.insert + text.slice(edit.at);
  document.setIn(place, [...(isSeq(list) ? (list.toJSON() as unknown[]) : []), recipient]);
  const wanted = JSON.stringify(sorted(document.toJS()));
  return JSON.stringify(sorted(parseDocument(changed).toJS())) === wanted ? changed : undefined;
}

interface Edit {
  at: number;
  insert: string;
}

function appendTo(list: YAMLSeq, text: string, recipient: string): Edit | undefined {
  const last = list.items.at(-1);
  const range = rangeOf(list);
  if (range === undefined) return undefined;
  if (list.flow) return { at: range.end - 1, insert: last === undefined ? recipient : `, ${recipient}` };
  const end = isNode(last) ? rangeOf(last)?.end : undefined;
  if (end === undefined) return undefined;
  const lineEnd = text.indexOf('\n', end);
  const insert = `\n${' '.repeat(columnOf(range.start, text))}- ${recipient}`;
  return { at: lineEnd < 0 ? text.length : lineEnd, insert };
}

/** A new key in front of the first one of `backup`. */
function prependTo(backup: unknown, text: string, recipient: string): Edit | undefined {
  const first = isMap(backup) ? (backup as YAMLMap).items[0] : undefined;
  const range = isPair(first) && isNode(first.key) ? rangeOf(first.key) : undefined;
  if (range === undefined) return undefined;
  const key = `recipients: [${recipient}]`;
  const flow = (backup as YAMLMap).flow === true;
  const separator = flow ? ', ' : `\n${' '.repeat(columnOf(range.start, text))}`;
  return { at: range.start, insert: key + separator };
}

function rangeOf({ range }: Node): { start: number; end: number } | undefined {
  return range ? { start: range[0], end: range[1] } : undefined;
}

function columnOf(offset: number, text: string): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}

/** With the keys of every map in order, so that two values can be compared as text. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, one]) => [key, sorted(one)]));
}

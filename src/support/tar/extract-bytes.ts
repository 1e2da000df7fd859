import { type Extract, extract } from 'tar-stream';

/** The part of a tar-stream that reads what stands before the header of an entry that has a long or foreign name. */
interface ExtendedHeaders {
  _header: { type: string | null };
  _decodeLongHeader(content: Uint8Array): void;
}

/** Its types do not tell of it. */
const options = { filenameEncoding: 'latin1' };

/**
 * Reads a tar with **one character per byte** (latin1) in every name, target of a link and PAX record: none of these
 * need be UTF-8, though POSIX asks it of PAX records, for whoever writes a tar has only bytes to put there. tar-stream
 * can be told so of all but PAX records.
 */
export function extractBytes(): Extract {
  const entries = extract(options as object);
  const inner = entries as unknown as ExtendedHeaders;
  const decode = inner._decodeLongHeader;
  inner._decodeLongHeader = function (this: ExtendedHeaders, content) {
    const isPax = this._header.type === 'pax-header' || this._header.type === 'pax-global-header';
    decode.call(this, isPax ? asText(content) : content);
  };
  return entries;
}

/**
 * The same PAX records in UTF-8: `<length of all of it in bytes> <key>=<value>\n`, as pax(1) of POSIX describes them.
 */
function asText(records: Uint8Array): Buffer {
  const bytes = Buffer.from(records.buffer, records.byteOffset, records.length);
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const begin = bytes.indexOf(' ', at);
    const end = at + Number.parseInt(bytes.toString('latin1', at, begin), 10);
    if (!(begin < end && end <= bytes.length)) throw new Error('Invalid PAX header');
    texts.push(withLength(bytes.toString('latin1', begin, end)));
    at = end;
  }
  return Buffer.from(texts.join(''));
}

function withLength(record: string): string {
  const length = Buffer.byteLength(record);
  const digits = String(length + String(length).length).length;
  return `${length + digits}${record}`;
}

export type BsonValue = string | number | bigint | boolean | undefined;

/**
 * The plain fields of a small BSON document: texts, numbers, booleans. `undefined` for one that is malformed or holds
 * anything else. Source of the format: https://bsonspec.org/spec.html.
 */
export function readBson(document: Buffer): Map<string, BsonValue> | undefined {
  try {
    return fieldsOf(document);
  } catch {
    return undefined; // It read beyond the end.
  }
}

function fieldsOf(document: Buffer): Map<string, BsonValue> | undefined {
  const fields = new Map<string, BsonValue>();
  let at = 4;
  while (document[at] !== 0) {
    const type = document.readUInt8(at);
    const end = document.indexOf(0, at + 1);
    if (end === -1) return undefined;
    const name = document.toString('utf8', at + 1, end);
    const value = valueAt(document, type, end + 1);
    if (value === undefined) return undefined;
    fields.set(name, value.value);
    at = end + 1 + value.length;
  }
  return at === document.length - 1 ? fields : undefined;
}

function valueAt(
  document: Buffer,
  type: number,
  at: number,
): { value: BsonValue; length: number } | undefined {
  switch (type) {
    case 0x01:
      return { value: document.readDoubleLE(at), length: 8 };
    case 0x02: {
      const length = document.readInt32LE(at);
      if (length < 1 || document[at + 3 + length] !== 0) return undefined;
      return { value: document.toString('utf8', at + 4, at + 3 + length), length: 4 + length };
    }
    case 0x08:
      return { value: document.readUInt8(at) === 1, length: 1 };
    case 0x0a:
      return { value: undefined, length: 0 };
    case 0x10:
      return { value: document.readInt32LE(at), length: 4 };
    case 0x12:
      return { value: document.readBigInt64LE(at), length: 8 };
  }
  return undefined;
}

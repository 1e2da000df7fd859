import { Crc64, ecma } from '../../../src/databases/crc64.ts';

type Value = string | number | bigint | boolean;

/** A BSON document of plain fields: numbers are int32, bigints int64. */
export function bson(fields: Record<string, Value>): Buffer {
  const parts = Object.entries(fields).map(([name, value]) => {
    const [type, bytes] = encode(value);
    return Buffer.concat([Buffer.of(type), Buffer.from(`${name}\0`), bytes]);
  });
  const body = Buffer.concat([...parts, Buffer.of(0)]);
  return Buffer.concat([int32(body.length + 4), body]);
}

function encode(value: Value): [number, Buffer] {
  if (typeof value === 'string') {
    const text = Buffer.from(`${value}\0`);
    return [0x02, Buffer.concat([int32(text.length), text])];
  }
  if (typeof value === 'boolean') return [0x08, Buffer.of(Number(value))];
  if (typeof value === 'number') return [0x10, int32(value)];
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return [0x12, bytes];
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

const terminator = int32(-1);

/**
 * An archive as mongodump writes it: what it announces, then two collections whose blocks alternate, one empty, and a
 * view.
 */
export function archive(width = 40): Buffer {
  const a = [1, 2, 3].map((i) => bson({ _id: i, text: 'x'.repeat(i * width) }));
  const b = [1, 2].map((i) => bson({ _id: i }));
  return Buffer.concat([
    Buffer.of(0x6d, 0xe2, 0x99, 0x81),
    bson({ concurrent_collections: 4, version: '0.1', server_version: '7.0.5', tool_version: '100.9.4' }),
    bson({ db: 'shop', collection: 'a', metadata: '{"options":{}}', size: 3, type: 'collection' }),
    bson({ db: 'shop', collection: 'b', metadata: '{}', size: 2, type: 'collection' }),
    bson({ db: 'shop', collection: 'empty', metadata: '{}', size: 0, type: 'collection' }),
    bson({ db: 'shop', collection: 'seen', metadata: '{"options":{"viewOn":"a"}}', size: 0, type: 'view' }),
    terminator,
    block('a', a.slice(0, 2)),
    block('b', b),
    block('a', a.slice(2)),
    end('a', a),
    end('empty', []),
    end('b', b),
  ]);
}

function block(collection: string, documents: readonly Buffer[]): Buffer {
  return Buffer.concat([bson({ db: 'shop', collection, EOF: false, CRC: 0n }), ...documents, terminator]);
}

function end(collection: string, documents: readonly Buffer[]): Buffer {
  const checksum = new Crc64(ecma);
  for (const document of documents) checksum.update(document);
  return Buffer.concat([
    bson({ db: 'shop', collection, EOF: true, CRC: BigInt.asIntN(64, checksum.value) }),
    terminator,
  ]);
}

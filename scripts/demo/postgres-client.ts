import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Enough of PostgreSQL's protocol 3.0 to send simple queries to a server that trusts us. */
export interface PostgresClient {
  query(sql: string): Promise<void>;
  close(): void;
}

export async function connectPostgres(port: number, user: string, database: string): Promise<PostgresClient> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay();
  socket.on('error', () => {}); // Told to whoever waits, by the close that follows.
  await once(socket, 'connect');
  const replies = readReplies(socket);
  const parameters = `user\0${user}\0database\0${database}\0\0`;
  socket.write(message('', Buffer.concat([Buffer.from([0, 3, 0, 0]), Buffer.from(parameters)])));
  await untilReady(replies);
  return {
    async query(sql) {
      socket.write(message('Q', Buffer.from(`${sql}\0`)));
      await untilReady(replies);
    },
    close: () => socket.destroy(),
  };
}

function message(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

interface Reply {
  type: string;
  body: Buffer;
}

async function untilReady(replies: AsyncGenerator<Reply>): Promise<void> {
  for (;;) {
    const { value, done } = await replies.next();
    if (done) throw new Error('the server closed the connection');
    if (value.type === 'E') throw new Error(value.body.toString().replaceAll('\0', ' '));
    if (value.type === 'Z') return;
  }
}

async function* readReplies(socket: Socket): AsyncGenerator<Reply> {
  let bytes = Buffer.alloc(0);
  for await (const piece of socket) {
    bytes = Buffer.concat([bytes, piece]);
    while (bytes.length >= 5 && bytes.length > bytes.readUInt32BE(1)) {
      const end = bytes.readUInt32BE(1) + 1;
      yield { type: String.fromCharCode(bytes.readUInt8(0)), body: bytes.subarray(5, end) };
      bytes = bytes.subarray(end);
    }
  }
}

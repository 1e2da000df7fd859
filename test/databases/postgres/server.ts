import { loadFixture } from '../../../scripts/fixtures/image.ts';
import type { DatabaseServer } from '../../../src/databases/databases.ts';
import { postgres } from '../../../src/databases/postgres/postgres.ts';
import { connectEngine } from '../../../src/engine/connect.ts';
import type { Context } from '../../../src/support/context.ts';
import { silent } from '../../../src/support/progress.ts';
import { testEngine } from '../../support/engine.ts';
import { uniqueName } from '../../support/images.ts';

export interface TestServer extends DatabaseServer {
  /** Runs SQL as the superuser and returns what psql prints, unaligned. */
  sql(statements: string, database?: string): Promise<string>;
  remove(): Promise<void>;
}

export const context: Context = {
  progress: silent,
  signal: new AbortController().signal,
  now: () => new Date(),
  stateDir: '/nonexistent',
};

/** Creating databases waits for the disk a lot. */
const tmpfs = [{ target: '/var/lib/postgresql/data' }];

/** A real PostgreSQL in a container without network. */
export async function startPostgres(
  environment: Record<string, string> = {},
  mounted: readonly { target: string }[] = [],
): Promise<TestServer> {
  const engine = connectEngine({ host: `unix://${(await testEngine()).socket}` });
  const image = await loadFixture(engine, 'postgres');
  const container = uniqueName('postgres');
  const mounts = { tmpfs: [...tmpfs, ...mounted] };
  await engine.containers.create({ name: container, image, networkMode: 'none', environment, ...mounts });
  await engine.containers.start(container);
  const server: TestServer = {
    engine,
    container,
    sql: (statements, database = 'template1') =>
      runSql(server, environment.POSTGRES_USER ?? 'postgres', statements, database),
    remove: () => engine.containers.remove(container, { force: true, volumes: true }),
  };
  await postgres.ready(server, context);
  return server;
}

async function runSql(
  server: TestServer,
  user: string,
  statements: string,
  database: string,
): Promise<string> {
  const execution = await server.engine.containers.exec(server.container, {
    command: ['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', user, '-d', database, '-f', '-'],
    user: 'postgres',
    stdin: true,
  });
  execution.stdin!.end(statements);
  let [output, errors] = ['', ''];
  execution.stderr.on('data', (piece: Buffer) => {
    errors += piece.toString();
  });
  for await (const piece of execution.stdout) output += piece;
  if ((await execution.exitCode) !== 0) throw new Error(errors);
  return output.trim();
}

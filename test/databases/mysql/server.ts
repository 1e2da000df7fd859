import { loadFixture } from '../../../scripts/fixtures/image.ts';
import type { DatabaseServer } from '../../../src/databases/databases.ts';
import { mysql } from '../../../src/databases/mysql/mysql.ts';
import { connectEngine } from '../../../src/engine/connect.ts';
import { runInContainer } from '../../../src/engine/containers/run-in-container.ts';
import { testEngine } from '../../support/engine.ts';
import { uniqueName } from '../../support/images.ts';
import { context } from '../postgres/server.ts';

export const rootPassword = `se"cr'et`;

export interface TestServer extends DatabaseServer {
  /** Runs SQL as root and returns what the client prints, columns separated by tabs. */
  sql(statements: string): Promise<string>;
  /** Gives root the password again that the container was told. */
  restorePassword(present: string): Promise<void>;
  remove(): Promise<void>;
}

/** A real MariaDB in a container without network. */
export async function startMariadb(): Promise<TestServer> {
  const engine = connectEngine({ host: `unix://${(await testEngine()).socket}` });
  const image = await loadFixture(engine, 'mariadb');
  const container = uniqueName('mariadb');
  await engine.containers.create({
    name: container,
    image,
    networkMode: 'none',
    environment: { MARIADB_ROOT_PASSWORD: rootPassword },
    tmpfs: [{ target: '/var/lib/mysql' }],
  });
  await engine.containers.start(container);
  const server: TestServer = {
    engine,
    container,
    sql: (statements) => runSql(server, statements),
    restorePassword: async (present) => {
      const quoted = rootPassword.replaceAll("'", "''");
      await runSql(server, `ALTER USER root@localhost IDENTIFIED BY '${quoted}'`, 'mariadb', present);
    },
    remove: () => engine.containers.remove(container, { force: true, volumes: true }),
  };
  await mysql.ready(server, context);
  return server;
}

export async function runSql(
  { engine, container }: DatabaseServer,
  statements: string,
  client: 'mariadb' | 'mysql' = 'mariadb',
  password = rootPassword,
): Promise<string> {
  const command = [client, '-uroot', '-BN', '--default-character-set=utf8mb4', '-e', statements];
  const environment = { MYSQL_PWD: password };
  const { status, stdout, stderr } = await runInContainer(engine, container, command, { environment });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

import { UsageError } from '../../support/errors.ts';

/** A repository on another host. */
export interface RemoteAddress {
  user: string | undefined;
  host: string;
  port: number | undefined;
  /** Absolute. */
  path: string;
}

/** Whether a destination names another host, as scp and rsync tell it: a colon before any slash. */
export function isRemote(destination: string): boolean {
  return /^[^/]+:/.test(destination);
}

/**
 * Reads `[USER@]HOST:/PATH` or `ssh://[USER@]HOST[:PORT]/PATH`. Nothing in it can be taken for an option or for
 * anything by a shell.
 *
 * @throws {UsageError}
 */
export function parseRemoteAddress(text: string): RemoteAddress {
  const { user, host = '', port, path = '' } = (url.exec(text) ?? short.exec(text))?.groups ?? {};
  const isGood =
    host !== '' && !/[\x00-\x1f\x7f]/.test(path) && (port === undefined || Number(port) < 65_536);
  if (!isGood) {
    throw new UsageError(`${JSON.stringify(text)} is no place on another host`, {
      advice: 'Write user@host:/path or ssh://user@host:port/path; the path begins with a slash',
    });
  }
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return { user, host: bare, port: port === undefined ? undefined : Number(port), path };
}

const who = '(?:(?<user>[A-Za-z_][\\w.-]*)@)?';
const where = '(?<host>[A-Za-z0-9][\\w.-]*|\\[[0-9A-Fa-f:.]+(?:%\\w+)?\\])';
const url = new RegExp(`^ssh://${who}${where}(?::(?<port>\\d{1,5}))?(?<path>/.*)$`, 's');
const short = new RegExp(`^${who}${where}:(?<path>/(?!/).*)$`, 's');

/** As people type it and rsync takes it, without the port. */
export function renderRemoteAddress({ user, host, path }: RemoteAddress): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `${user === undefined ? '' : `${user}@`}${name}:${path}`;
}

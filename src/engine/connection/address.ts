import { UsageError } from '../../support/errors.ts';

/** Where an engine listens. */
export type Address =
  | { kind: 'unix'; path: string }
  | { kind: 'tcp'; host: string; port: number }
  | {
      kind: 'ssh';
      user: string | undefined;
      host: string;
      port: number | undefined;
      socket: string | undefined;
    };

const defaultHost = 'unix:///var/run/docker.sock';

/**
 * Reads what `--host` or `DOCKER_HOST` say, by the docker client's own rules: `unix:///path`, `tcp://host:port`,
 * `ssh://[user@]host[:port][/path/to/socket]`. The port of tcp is 2376 with TLS and 2375 without unless named.
 * @throws UsageError for anything else.
 */
export function parseAddress(host: string | undefined, secure: boolean): Address {
  const text = host || defaultHost;
  if (text.startsWith('unix://')) return { kind: 'unix', path: text.slice('unix://'.length) };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'tcp:' && url.hostname !== '' && url.pathname === '') {
    return { kind: 'tcp', host: bare(url.hostname), port: Number(url.port || (secure ? 2376 : 2375)) };
  }
  if (url?.protocol === 'ssh:' && isHostName(url.hostname) && /^[\w./-]*$/.test(url.pathname))
    return ssh(url);
  throw new UsageError(`cannot use the engine's address ${text}`, {
    advice: 'Write unix:///path, tcp://host:port or ssh://user@host',
  });
}

function ssh(url: URL): Address {
  return {
    kind: 'ssh',
    user: url.username === '' ? undefined : decodeURIComponent(url.username),
    host: bare(url.hostname),
    port: url.port === '' ? undefined : Number(url.port),
    socket: url.pathname === '' || url.pathname === '/' ? undefined : url.pathname,
  };
}

/** Nothing that the ssh program could take for an option. */
function isHostName(text: string): boolean {
  return /^[\w.:[\]%][\w.:[\]%-]*$/.test(text);
}

function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

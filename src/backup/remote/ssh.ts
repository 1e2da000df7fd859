import type { RemoteAddress } from './address.ts';

/**
 * The command that runs a program on another host through the system's ssh, whose configuration, agent and known hosts
 * hold. It asks nothing, and refuses a host whose key is not known.
 *
 * ssh hands words to a shell over there: each is quoted for it.
 */
export function sshCommand({ user, host, port }: RemoteAddress, command: readonly string[]): string[] {
  return [
    ...sshProgram(port),
    ...(user === undefined ? [] : ['-l', user]),
    '--',
    host,
    command.map(quoted).join(' '),
  ];
}

/** ssh and its options, but for the user and the host. */
export function sshProgram(port: number | undefined): string[] {
  return [
    ...['ssh', '-T', '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=yes'],
    ...['-o', 'ConnectTimeout=30', '-o', 'ServerAliveInterval=30'],
    ...(port === undefined ? [] : ['-p', String(port)]),
  ];
}

/** What the operator may type to see for themselves. */
export function sshByHand({ user, host, port }: RemoteAddress, command: string): string {
  const name = user === undefined ? host : `${user}@${host}`;
  return `ssh ${port === undefined ? '' : `-p ${port} `}${name} ${command}`;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { needProgram } from './debian-program.ts';
import { makeSshKey } from './ssh-keys.ts';

/** A real sshd on loopback, with keys and configuration of its own. */
export interface SshServer {
  port: number;
  /** The line by which a client knows it. */
  knownHost: string;
  stop(): void;
}

export interface SshServerOptions {
  /** What programs who logs in finds. */
  path: string;
  /** Public key files, each with the options that `authorized_keys` gives it. */
  authorized: readonly { key: string; options?: string }[];
}

export async function startSshServer(directory: string, options: SshServerOptions): Promise<SshServer> {
  needProgram('/usr/sbin/sshd', 'openssh-server');
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  mkdirSync(directory);
  const hostKey = makeSshKey(directory, 'host_key');
  const authorized = options.authorized.map(({ key, options: what = '' }) => {
    return `${what} ${readFileSync(`${key}.pub`, 'utf8')}`.trimStart();
  });
  writeFileSync(join(directory, 'authorized_keys'), authorized.join(''), { mode: 0o600 });
  const { port, server } = await listening(directory, (port) =>
    configuration(directory, hostKey, port, options.path),
  );
  const knownHost = `[127.0.0.1]:${port} ${readFileSync(`${hostKey}.pub`, 'utf8')}`;
  return { port, knownHost, stop: () => void server.kill() };
}

function configuration(directory: string, hostKey: string, port: number, path: string): string {
  return `Port ${port}
ListenAddress 127.0.0.1
HostKey ${hostKey}
PidFile none
AuthorizedKeysFile ${join(directory, 'authorized_keys')}
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
SetEnv PATH=${path} NODE_NO_WARNINGS=1
`;
}

/** Between the look for a free port and the start somebody else may have taken it. */
async function listening(directory: string, configure: (port: number) => string, tries = 5) {
  const port = await freePort();
  const config = join(directory, 'sshd_config');
  writeFileSync(config, configure(port));
  const server = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    await untilListening(server, port);
    return { port, server };
  } catch (error) {
    if (tries === 1) throw error;
    return listening(directory, configure, tries - 1);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

async function untilListening(server: ChildProcess, port: number): Promise<void> {
  let said = '';
  server.stderr!.on('data', (bytes: Buffer) => {
    said = (said + bytes.toString()).slice(-2000);
  });
  for (;;) {
    if (server.exitCode !== null) throw new Error(`sshd: ${said}`);
    const socket = connect(port, '127.0.0.1');
    const isUp = await new Promise((done) =>
      socket.once('connect', () => done(true)).once('error', () => done(false)),
    );
    socket.destroy();
    if (isUp) return;
    await setTimeout(20);
  }
}

export interface SshHost {
  alias: string;
  port: number;
  /** Private key to log in with. */
  key: string;
}

/**
 * Lets this process' ssh know hosts by these names, and only those host keys that are in `known_hosts` of the
 * directory. ssh itself is the real one.
 */
export function configureSsh(directory: string, hosts: readonly SshHost[]): { knownHosts: string } {
  const programs = join(directory, 'client-programs');
  const knownHosts = join(directory, 'known_hosts');
  const config = join(directory, 'ssh_config');
  mkdirSync(programs);
  const blocks = hosts.map(
    ({ alias, port, key }) => `Host ${alias}\n  HostName 127.0.0.1\n  Port ${port}\n  IdentityFile ${key}\n`,
  );
  const common = `  User root\n  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile ${knownHosts}\n`;
  writeFileSync(
    config,
    `${blocks.join('')}Host *\n${common}  GlobalKnownHostsFile none\n  UpdateHostKeys no\n`,
  );
  installProgram(join(programs, 'ssh'), `exec /usr/bin/ssh -F '${config}' "$@"`);
  process.env.PATH = `${programs}:${process.env.PATH}`;
  return { knownHosts };
}

/** The command under test as a program that a shell finds; its compiled sources are kept, for it starts often. */
export function installDockerctl(directory: string): void {
  mkdirSync(directory, { recursive: true });
  installProgram(
    join(directory, 'dockerctl'),
    `NODE_COMPILE_CACHE='${directory}/cache' exec '${process.execPath}' '${resolve('src/cli/bin.ts')}' "$@"`,
  );
}

function installProgram(path: string, script: string): void {
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

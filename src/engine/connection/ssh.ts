import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { Agent } from 'node:http';
import { Duplex, type Readable, type Writable } from 'node:stream';
import { EngineUnreachableError } from '../../support/errors.ts';
import type { Address } from './address.ts';

type SshAddress = Extract<Address, { kind: 'ssh' }>;

/**
 * Connections to a remote engine through the system's ssh program, so that the operator's ssh_config, agent and
 * known_hosts hold as they do for ssh itself. A host whose key is not known is refused, whatever ssh_config says.
 */
export class SshAgent extends Agent {
  readonly #address: SshAddress;

  constructor(address: SshAddress) {
    super({ keepAlive: true, maxFreeSockets: 2 });
    this.#address = address;
  }

  override createConnection(): Duplex {
    return new SshConnection(this.#address);
  }

  override keepSocketAlive(connection: Duplex): boolean {
    (connection as SshConnection).unref();
    return true;
  }

  override reuseSocket(connection: Duplex): void {
    (connection as SshConnection).ref();
  }
}

/** The arguments of ssh: standard input and output become a connection to the engine's socket over there. */
export function sshArguments({ user, host, port, socket }: SshAddress): string[] {
  return [
    ...['-T', '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=yes', '-o', 'ConnectTimeout=30'],
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...['--', host, 'docker'],
    ...(socket === undefined ? [] : ['--host', `unix://${socket}`]),
    ...['system', 'dial-stdio'],
  ];
}

class SshConnection extends Duplex {
  readonly #ssh: ChildProcessByStdio<Writable, Readable, Readable>;

  constructor(address: SshAddress) {
    super({ allowHalfOpen: true });
    const ssh = spawn('ssh', sshArguments(address), { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#ssh = ssh;
    let complaint = '';
    ssh.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-4096);
    });
    // A broken pipe says less than what ssh printed: that comes with its end.
    ssh.stdin.on('error', () => {});
    ssh.stdout.on('data', (data: Buffer) => this.push(data) || ssh.stdout.pause());
    ssh.on('error', (error) => this.destroy(unreachable(address, error.message)));
    ssh.on('close', (code) => {
      if (code === 0) this.push(null);
      else
        this.destroy(unreachable(address, complaint.trim().split('\n').at(-1) || `ssh ended with ${code}`));
    });
  }

  override _read(): void {
    this.#ssh.stdout.resume();
  }

  override _write(data: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#ssh.stdin.write(data, () => done());
  }

  override _final(done: () => void): void {
    this.#ssh.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#ssh.kill();
    done(error);
  }

  /** Lets the process end although this connection is kept for later. */
  unref(): void {
    this.#ssh.unref();
    for (const pipe of this.#ssh.stdio) (pipe as { unref?(): void }).unref?.();
  }

  ref(): void {
    this.#ssh.ref();
    for (const pipe of this.#ssh.stdio) (pipe as { ref?(): void }).ref?.();
  }
}

function unreachable({ host }: SshAddress, why: string): EngineUnreachableError {
  return new EngineUnreachableError(`cannot reach the engine on ${host} through ssh: ${why}`, {
    advice: `Try: ssh ${host} docker version`,
    facts: { host },
  });
}

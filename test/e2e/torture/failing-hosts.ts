import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as assert from 'uvu/assert';
import { encodeIdentity, encodeRecipient, type Identity } from '../../../src/repository/age/keys.ts';
import { callsThatCount, FailingCalls, type Failure } from '../../support/failing-calls/failing-calls.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { standInForSsh } from '../../support/ssh-stand-in.ts';
import { type EndedCommand, runCommand } from './command.ts';
import { bytes, write } from './contents.ts';
import { type CommandName, commands, type FailingCommand, places } from './failing-commands.ts';

export interface HostOptions {
  /** Where everything lies; empty. */
  home: string;
  keys: readonly Identity[];
  seed: number;
}

/** What running it takes. */
type Asked = Omit<FailingCommand, 'places'>;

/**
 * A host, and another one that it sends to, which lie on one disk. Here are three snapshots, and files that have changed
 * since; there are the first two of them, and an archive of the third.
 */
export class FailingHosts {
  readonly #options: HostOptions;
  readonly #calls: FailingCalls;
  readonly #golden: string;
  /** Calls of each command where none fails. */
  readonly #made = new Map<CommandName, string[]>();

  private constructor(options: HostOptions) {
    this.#options = options;
    this.#calls = new FailingCalls(options.home);
    this.#golden = join(options.home, 'golden');
    standInForSsh(options.home);
  }

  static async open(options: HostOptions): Promise<FailingHosts> {
    const hosts = new FailingHosts(options);
    hosts.#describe();
    for (const place of ['files', 'disk', 'archive', 'out'] as const) mkdirSync(hosts.path(places[place]));
    const random = seededRandom(options.seed ^ 1);
    for (const [i, command] of (['send', 'send', 'backup'] as const).entries()) {
      hosts.#change(i, random);
      await hosts.runWell(commands[command]);
    }
    await hosts.runWell({ args: ['backup', 'export', 'latest', '-o', `{${places.archive}}/old.tar`] });
    hosts.#change(3, random);
    cpSync(hosts.path(places.disk), hosts.#golden, { recursive: true });
    return hosts;
  }

  get keys(): readonly Identity[] {
    return this.#options.keys;
  }

  /** Where it is. */
  path(place: string): string {
    return join(this.#options.home, place);
  }

  /** Everything as it was when it was opened. */
  begin(command: CommandName): void {
    const { first }: FailingCommand = commands[command];
    rmSync(this.path(places.disk), { recursive: true });
    cpSync(this.#golden, this.path(places.disk), { recursive: true });
    if (first)
      for (const place of [places.vault, places.vaultState])
        rmSync(this.path(place), { recursive: true, force: true });
    for (const name of ['success', 'failure']) rmSync(this.path(name), { force: true });
  }

  /** The calls of a command where none fails, each with its file: those that a failure can choose from. */
  async calls(name: CommandName, failure: Pick<Failure, 'below' | 'on'>): Promise<string[]> {
    const made = this.#made.get(name) ?? (await this.#list(name));
    this.#made.set(name, made);
    return callsThatCount(made, failure);
  }

  async #list(command: CommandName): Promise<string[]> {
    this.begin(command);
    const none = {
      below: this.#options.home,
      at: 0,
      error: 'EIO',
      lasting: false,
      on: 'everything',
    } as const;
    await this.runWell(commands[command], none);
    return this.#calls.failed();
  }

  /** Runs it; with a failure, if there is one, and then `failed` tells which calls it met. */
  run({ args, opens, there }: Asked, failure?: Failure): Promise<EndedCommand> {
    const { home, keys } = this.#options;
    const identity = opens && keys.length > 0 ? ['--identity', join(home, 'key')] : [];
    const failing = failure === undefined ? {} : this.#calls.environment(failure);
    const both = { NODE_COMPILE_CACHE: this.path('compiled'), NODE_NO_WARNINGS: '1' }; // Begins sooner.
    const receiver = { ...both, DOCKERCTL_STATE_DIR: this.path(places.vaultState), ...(there && failing) };
    const environment = {
      ...both,
      DOCKERCTL_STATE_DIR: this.path(places.state),
      SSH_FORCED: this.#receive(receiver),
      ...(!there && failing),
    };
    const argv = args.map((arg) => arg.replace(/\{(.*)\}/, (_, place: string) => this.path(place)));
    return runCommand(['-f', join(home, 'dockerctl.yaml'), ...argv, ...identity], environment);
  }

  /** The same for a command that must end well. */
  async runWell(command: Asked, failure?: Failure): Promise<void> {
    const { status, stderr } = await this.run(command, failure);
    assert.is(status, 0, stderr);
  }

  /** The calls that the last command met its failure at. */
  failed(): string[] {
    return this.#calls.failed();
  }

  #receive(environment: Record<string, string>): string {
    const variables = Object.entries(environment).map(([name, value]) => `${name}='${value}'`);
    const program = [process.execPath, resolve('src/cli/bin.ts')].join(' ');
    return `exec env ${variables.join(' ')} ${program} backup receive ${this.path(places.vault)}`;
  }

  #change(round: number, random: () => number): void {
    write(join(this.path(places.files), 'large'), bytes(random, 1_200_000));
    for (let file = 0; file < 8; file += round + 1)
      write(join(this.path(places.files), `file-${file}`), bytes(random, 2000));
  }

  #describe(): void {
    const { home, keys } = this.#options;
    const hook = (name: string) => `[[/bin/sh, -c, "cat > ${home}/${name}"]]`;
    const settings = [
      `repository: ${this.path(places.repository)}`,
      ...(keys.length === 0 ? [] : [`recipients: [${keys.map(encodeRecipient).join(', ')}]`]),
      `on-success: ${hook('success')}`,
      `on-failure: ${hook('failure')}`,
      'keep: {last: 2}',
      `sources: {data: {paths: [${this.path(places.files)}]}}`,
    ];
    write(join(home, 'dockerctl.yaml'), `name: failing\nx-dockerctl: {backup: {${settings.join(', ')}}}\n`);
    write(join(home, 'key'), keys.map(encodeIdentity).join('\n'));
  }
}

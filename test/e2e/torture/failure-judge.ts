import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { openRepository } from '../../../src/repository/open.ts';
import type { Failure } from '../../support/failing-calls/failing-calls.ts';
import { quietContext } from '../../support/save-directory.ts';
import type { EndedCommand } from './command.ts';
import { type Content, contentOf, readFiles } from './contents.ts';
import { type CommandName, commands, type FailingCommand, places } from './failing-commands.ts';
import type { FailingHosts } from './failing-hosts.ts';
import { leftovers } from './leftovers.ts';

/** Snapshots of a repository by their ids, the oldest first, all of them read. */
type Found = Map<string, { complete: boolean; content: Content }>;

/** The repositories of both hosts. */
interface Both {
  here: Found;
  there: Found;
}

/** Runs commands with a failure, and finds out whether they kept what is promised. */
export class FailureJudge {
  readonly #hosts: FailingHosts;
  readonly #before: Both;

  private constructor(hosts: FailingHosts, before: Both) {
    this.#hosts = hosts;
    this.#before = before;
  }

  static async of(hosts: FailingHosts): Promise<FailureJudge> {
    hosts.begin('backup');
    return new FailureJudge(hosts, await lookAtBoth(hosts, 'before'));
  }

  /** @returns the exit status */
  async judge(name: CommandName, failure: Failure, which: string): Promise<number> {
    const hosts = this.#hosts;
    const command: FailingCommand = commands[name];
    hosts.begin(name);
    const ended = await hosts.run(command, failure);
    const { status, stderr } = ended;
    const [call = 'none in the end'] = hosts.failed();
    const when = `${which}: ${name}, ${JSON.stringify(failure)}: ${call}: ${status}: ${stderr}`;
    checkMessage(command, ended, failure, when);
    const after = await lookAtBoth(hosts, when);
    this.#checkContent(name, status, after, when);
    if (makesSnapshot(name)) checkWord(hosts, ended, when);
    await this.#checkNext(name, status, failure, when);
    return status!;
  }

  #checkContent(name: CommandName, status: number | null, { here, there }: Both, when: string): void {
    const { first }: FailingCommand = commands[name];
    const ids = [...this.#before.here.keys()];
    const kept = {
      here: name === 'prune' ? ids.slice(-2) : ids,
      there: first ? [] : [...this.#before.there.keys()],
    };
    for (const id of kept.here) assert.equal(here.get(id)?.content, this.#before.here.get(id)!.content, when);
    for (const id of kept.there)
      assert.equal(there.get(id)?.content, this.#before.here.get(id)!.content, when);
    const added = [...here].filter(([id]) => !ids.includes(id)).map(([, snapshot]) => snapshot);
    const files = readFiles(this.#hosts.path(places.files));
    for (const { complete, content } of added) {
      for (const [file, digest] of content) assert.is(digest, files.get(file), `${when}: ${file}`);
      assert.is(content.size === files.size, complete, when);
    }
    const arrived = [...there].filter(([id]) => !kept.there.includes(id));
    for (const [id, { content }] of arrived) assert.equal(content, here.get(id)?.content, when);
    if (status === 0) this.#checkSuccess(name, { here, there }, added, arrived.length, when);
    if (status === 3) assert.ok(added.length === 1 && !added[0]!.complete, when);
  }

  #checkSuccess(
    name: CommandName,
    { here }: Both,
    added: { complete: boolean }[],
    arrived: number,
    when: string,
  ): void {
    const out = this.#hosts.path(places.out);
    if (makesSnapshot(name)) assert.ok(added.length === 1 && added[0]!.complete, when);
    if (sends(name) || name === 'import') assert.is(arrived, 1, when);
    if (name === 'prune') assert.is(here.size, 2, when);
    if (name === 'export')
      assert.equal(
        readFileSync(join(out, 'new.tar')),
        readFileSync(join(this.#hosts.path(places.archive), 'old.tar')),
        when,
      );
    if (name === 'restore')
      assert.equal(this.#restored(), [...this.#before.here.values()].at(-1)!.content, when);
  }

  #restored(): Content {
    return readFiles(join(this.#hosts.path(places.out), 'restored', 'data', this.#hosts.path(places.files)));
  }

  /** With the disk mended. */
  async #checkNext(
    name: CommandName,
    status: number | null,
    { lasting }: Failure,
    when: string,
  ): Promise<void> {
    const hosts = this.#hosts;
    if (status === 0 && (name === 'export' || name === 'restore')) return; // What it wrote is there already.
    if (name === 'export' && !lasting) assert.equal(readdirSync(hosts.path(places.out)), [], when);
    if (status === 16) await hosts.runWell({ args: ['restore', '--rollback', '--yes'] });
    const again = await hosts.run(commands[name]);
    const next = `${when}\nthe next one: ${again.stderr}`;
    assert.is(again.status, 0, next);
    const after = await lookAtBoth(hosts, next);
    const files = readFiles(hosts.path(places.files));
    if (makesSnapshot(name)) assert.equal([...after.here.values()].at(-1)!.content, files, next);
    if (sends(name)) assert.equal([...after.there.values()].at(-1)!.content, files, next);
    for (const [place, wasWritten] of [
      [places.repository, makesSnapshot(name) || name === 'prune'],
      [places.vault, sends(name) || name === 'import'],
    ] as const) {
      if (!wasWritten) continue;
      assert.equal(leftovers(hosts.path(place)), [], next);
      assert.ok(existsSync(join(hosts.path(place), 'reserve')), `${next}: the reserve`);
    }
  }
}

function makesSnapshot(name: CommandName): boolean {
  return name === 'backup' || sends(name);
}

function sends(name: CommandName): boolean {
  return name === 'send' || name === 'receive' || name === 'receiveFirst';
}

/** It tells what was done to what, and on which host; the status says what to make of it. */
function checkMessage(
  { there }: FailingCommand,
  { status, stderr }: EndedCommand,
  failure: Failure,
  when: string,
): void {
  assert.ok([0, 1, 3, 12, 13, 14, 16].includes(status ?? -1), when);
  assert.not.match(stderr, /[Uu]nexpected|[Uu]nknown|\n\s+at |^dockerctl: E[A-Z]+:/, when);
  if (status === 13) assert.is(failure.error, 'EDQUOT', when);
  if (status === 16) assert.ok(failure.lasting, when);
  if (status === 14) assert.is(failure.error, 'EIO', when);
  if (status === 0 || status === 3) return;
  assert.is(/ the receiver (says|there)\b/.test(stderr), there === true, when);
}

/** What monitoring sees, and whoever is to be paged. */
function checkWord(hosts: FailingHosts, { status, stderr }: EndedCommand, when: string): void {
  const outcome = status === 0 ? 'complete' : status === 3 ? 'incomplete' : 'failed';
  assert.ok(existsSync(hosts.path(status === 0 ? 'success' : 'failure')), `${when}: the hook`);
  if (stderr.includes('writing status.json')) return;
  const file = join(hosts.path(places.state), 'backup/failing/status.json');
  assert.is(JSON.parse(readFileSync(file, 'utf8')).lastRun.outcome, outcome, when);
}

async function lookAtBoth(hosts: FailingHosts, when: string): Promise<Both> {
  const [here, there] = [places.repository, places.vault].map((place) => hosts.path(place)) as [
    string,
    string,
  ];
  return {
    here: await lookAt(here, hosts, when),
    there: existsSync(join(there, 'oci-layout')) ? await lookAt(there, hosts, when) : new Map(),
  };
}

async function lookAt(directory: string, hosts: FailingHosts, when: string): Promise<Found> {
  const context = quietContext(hosts.path('elsewhere'));
  const repository = await openRepository(directory, context, { identities: hosts.keys });
  try {
    const { damage } = await repository.verify({ readData: true, remember: false }, context);
    assert.equal(damage, [], when);
    const found: Found = new Map();
    for (const snapshot of await repository.snapshots()) {
      const content = await contentOf(repository, snapshot);
      found.set(snapshot.id, { complete: snapshot.complete, content });
    }
    return found;
  } finally {
    await repository.close();
  }
}

import type { Failure } from '../../support/failing-calls/failing-calls.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { pick } from './contents.ts';
import { type CommandName, commands } from './failing-commands.ts';
import type { FailingHosts } from './failing-hosts.ts';
import { FailureJudge } from './failure-judge.ts';

/** How often each command ended with each exit status. */
export type FailCounts = Partial<Record<CommandName, Record<string, number>>>;

/**
 * What disks do when they fail: one answer is an error, they are gone, they became read-only, a quota is used up; a
 * server is gone; a call is interrupted; and a process may open no more files.
 */
const manners: Pick<Failure, 'error' | 'lasting' | 'on'>[] = [
  { error: 'EIO', lasting: false, on: 'everything' },
  { error: 'EIO', lasting: true, on: 'everything' },
  { error: 'EROFS', lasting: true, on: 'changes' },
  { error: 'EDQUOT', lasting: false, on: 'changes' },
  { error: 'EDQUOT', lasting: true, on: 'changes' },
  { error: 'ESTALE', lasting: true, on: 'everything' },
  { error: 'EINTR', lasting: false, on: 'everything' },
  { error: 'EMFILE', lasting: false, on: 'opening' },
  { error: 'EMFILE', lasting: true, on: 'opening' },
];

/** Those that are run alone every night are chosen more often. */
const chosen: CommandName[] = [
  'backup',
  'backup',
  'send',
  'receive',
  ...(Object.keys(commands) as CommandName[]),
];

/**
 * Runs commands with a system call failing, one at random in each, of the command or of the receiver that it sends to.
 * Whatever it is, what is there is whole and nothing that ought to stay is gone, a success is one, the message says what
 * was done to what and on which host, status and hooks tell the same, and with the disk mended the next run needs no hand.
 */
export async function failCalls(
  hosts: FailingHosts,
  { failures, seed }: { failures: number; seed: number },
): Promise<FailCounts> {
  const judge = await FailureJudge.of(hosts);
  const counts: FailCounts = {};
  const random = seededRandom(seed);
  for (let i = 0; i < failures; i++) {
    const command = chosen[pick(random, chosen.length)]!;
    const { places } = commands[command];
    const below = hosts.path(places[pick(random, places.length)]!);
    const manner = manners[pick(random, manners.length)]!;
    const at = 1 + pick(random, (await hosts.calls(command, { below, on: manner.on })).length);
    const status = await judge.judge(command, { ...manner, below, at }, `seed ${seed}, failure ${i}`);
    counts[command] = { ...counts[command], [status]: (counts[command]?.[status] ?? 0) + 1 };
  }
  return counts;
}

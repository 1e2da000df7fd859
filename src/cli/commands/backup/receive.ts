import { resolve } from 'node:path';
import { addAbortSignal } from 'node:stream';
import type { Command } from 'commander';
import { pipedInput } from '../../arguments/archive-inputs.ts';
import { openOrCreateBackupRepository } from '../../arguments/backup-repository.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { write } from '../../render/list.ts';

export function addBackupReceive(backup: Command, wrap: Wrap): void {
  backup
    .command('receive <dir>')
    .description('take in what dockerctl on another host sends, on standard input; ssh starts it')
    .option('--signers <file>', 'allowed signers, as ssh-keygen knows them: take in only what they signed')
    .option('--append-only', 'refuse to remove anything')
    .action(
      wrap(receiveSnapshots, { dryRun: 'Ask on the host that sends: dockerctl backup send --dry-run' }),
    );
}

async function receiveSnapshots(session: Session, { args: [dir], options }: ParsedInput): Promise<undefined> {
  const { receive } = await import('../../../repository/carry/receive.ts');
  const { io, context } = session;
  const input = addAbortSignal(context.signal, pipedInput(io));
  const connection = { input, write: (bytes: Uint8Array) => write(session, bytes) };
  const open = () => openOrCreateBackupRepository(session, dir);
  const signers = options.signers === undefined ? undefined : resolve(io.workingDirectory, options.signers);
  await receive(open, connection, { appendOnly: options.appendOnly === true, keys: { signers } }, context);
}

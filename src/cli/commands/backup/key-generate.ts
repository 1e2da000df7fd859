import type { Command } from 'commander';
import { FailedError, UsageError } from '../../../support/errors.ts';
import type { Session } from '../../context.ts';
import type { Wrap } from '../../program.ts';

export function addBackupKeyGenerate(backup: Command, wrap: Wrap): void {
  backup
    .command('key')
    .description('keys that backups are encrypted to')
    .command('generate')
    .description('print a new private key, once, and add its recipient to the deployment file')
    .addHelpText(
      'after',
      '\nWhat it prints belongs in the safe: this host keeps the recipient only, which cannot decrypt.' +
        '\nThe next backup stores everything anew, for nobody could open the old packs with the new key.',
    )
    .action(wrap(generateKey));
}

async function generateKey(session: Session): Promise<undefined> {
  const { encodeIdentity, encodeRecipient, generateIdentity } = await import(
    '../../../repository/age/keys.ts'
  );
  const { addRecipient } = await import('../../../deployment/add-recipient.ts');
  const { file } = await session.deployment();
  if (session.global.dryRun) {
    session.result({ file }, () => `would add the recipient of a new key to ${file}`);
    return;
  }
  if (session.io.stdout.isDiscarded) {
    throw new UsageError('printing a new key: nobody reads standard output, and the key would be lost', {
      advice: 'Let it go to the terminal, or into a file that goes in the safe',
    });
  }
  const identity = generateIdentity();
  const key = {
    created: session.context.now().toISOString(),
    recipient: encodeRecipient(identity),
    identity: encodeIdentity(identity),
  };
  session.io.stdout.keepFromOthers?.();
  // Shown before it is used: nothing must be encrypted to a key that nobody has seen.
  session.result(key, renderKeyFile);
  await printed(session, file);
  await addRecipient(file, key.recipient);
  session.context.progress.note(
    `added ${key.recipient} to ${file}; put the private key in the safe, it is not kept`,
  );
}

/** A key that went to a full disk, or to nobody, would be lost, with all that is encrypted to it. */
async function printed({ io: { stdout } }: Session, file: string): Promise<void> {
  const failure = await new Promise<Error | null | undefined>((resolve) => stdout.write('', resolve));
  if (!failure) return;
  throw new FailedError(`printing a new key: standard output did not take it, and ${file} is as it was`, {
    advice: 'Write it where there is room, and run it again',
    cause: failure,
  });
}

/** As `age-keygen` writes it, so that `age -i` and `--identity` read it. */
function renderKeyFile({
  created,
  recipient,
  identity,
}: Record<'created' | 'recipient' | 'identity', string>): string {
  return `# created: ${created}\n# public key: ${recipient}\n${identity}`;
}

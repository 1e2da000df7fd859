import { runHostCommand } from '../../deployment/commands/run-host-command.ts';
import type { Context } from '../../support/context.ts';
import { FailedError, messageOf } from '../../support/errors.ts';
import { describeFailure } from '../../support/run-command.ts';
import type { BackupStatus } from './status.ts';

/**
 * Gives hooks the status on their standard input, one after the other. What fails is a warning. Of a run that was
 * interrupted they are told too; whoever interrupts them wants to wait no longer.
 */
export async function tellHooks(
  hooks: readonly (readonly string[])[],
  status: BackupStatus,
  { signal, progress }: Context,
): Promise<void> {
  const wasInterrupted = signal.aborted;
  for (const hook of hooks) {
    if (signal.aborted && !wasInterrupted) return;
    await tell(hook, status, wasInterrupted ? undefined : signal).catch((error: unknown) =>
      progress.warn(`running the hook ${hook.join(' ')}: ${messageOf(error)}`),
    );
  }
}

/** Seconds a hook may take. */
const patience = 300;

async function tell(
  hook: readonly string[],
  status: BackupStatus,
  signal: AbortSignal | undefined,
): Promise<void> {
  const result = await runHostCommand(hook, {
    input: `${JSON.stringify(status)}\n`,
    timeout: patience,
    mayLeaveSome: true,
    ...(signal && { signal }),
  });
  if (result.status !== 0) throw new FailedError(describeFailure(result));
}

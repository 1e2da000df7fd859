import type { DatabaseServer } from '../databases.ts';

/** The variable by which a program that we started inside a container is known again. */
export const markName = 'DOCKERCTL_PROGRAM';

/**
 * Ends what still runs of a program inside a container: the engine cannot kill what it started there. Needs a shell and
 * grep in the image; without them the program ends when it next finds that nobody listens, or with its server.
 *
 * @param mark the value of `markName` that it was started with
 */
export async function endProgram(
  { engine, container }: DatabaseServer,
  mark: string,
  user: string | undefined,
): Promise<void> {
  try {
    const execution = await engine.containers.exec(container, {
      command: ['sh', '-c', script, mark],
      ...(user !== undefined && { user }),
    });
    execution.stdout.resume();
    execution.stderr.resume();
    await execution.exitCode;
  } catch {
    // The container has ended, and everything in it.
  }
}

const script = `for file in /proc/[0-9]*/environ; do
  if grep -qas -- "$0" "$file"; then process=\${file#/proc/}; kill "\${process%/environ}"; fi
done`;

import { spawn } from 'node:child_process';

/** A terminal as an operator would have it open: every command is shown before it runs, with all that it prints. */
export interface Terminal {
  /** Where it stands. */
  directory: string;
  /** Returns what it printed on stdout. Throws when it fails with another status than `expect`. */
  type(command: string, expect?: number): Promise<string>;
  /** What somebody at the operator's side would explain. */
  say(text: string): void;
  heading(text: string): void;
}

export function openTerminal(directory: string, environment: Record<string, string>): Terminal {
  const started = performance.now();
  return {
    directory,
    async type(command, expect = 0) {
      console.log(`$ ${command}`);
      const { status, stdout } = await run(command, directory, environment);
      if (status !== expect) throw new Error(`\`${command}\` ended with ${status} instead of ${expect}`);
      if (expect !== 0) console.log(`(exit ${status})`);
      return stdout;
    },
    say(text) {
      console.log(`# ${text}`);
    },
    heading(text) {
      console.log(`\n== ${text} (${((performance.now() - started) / 1000).toFixed(0)} s)\n`);
    },
  };
}

async function run(command: string, cwd: string, environment: Record<string, string>) {
  const shell = spawn('bash', ['-c', `set -o pipefail; ${command}`], {
    cwd,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  shell.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    process.stdout.write(text);
  });
  shell.stderr.on('data', (text: Buffer) => process.stdout.write(text));
  const status = await new Promise<number>((resolve, reject) => {
    shell.on('error', reject);
    shell.on('close', (code) => resolve(code ?? -1));
  });
  return { status, stdout };
}

/**
 * Leaves in `dist/` the compiled code of what a backup runs: a first one and one that finds nothing changed. So each
 * night's starts without compiling.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeRecipient, generateIdentity } from '../src/repository/age/keys.ts';
import { launcherOptions } from './compile-program/launcher-options.ts';

const root = mkdtempSync(join(tmpdir(), 'dockerctl-build-'));
try {
  const file = join(root, 'dockerctl.yaml');
  writeFileSync(file, deploymentFile(), { mode: 0o600 });
  const program = join(import.meta.dirname, 'compile-program', 'run-once.ts');
  const command = [...launcherOptions(), program, '-q', '-f', file, '--state-dir', join(root, 'state')];
  for (const _ of ['first', 'unchanged']) execFileSync(process.execPath, [...command, 'backup']);
} finally {
  rmSync(root, { recursive: true });
}

function deploymentFile(): string {
  const recipient = encodeRecipient(generateIdentity());
  const sources = { scripts: { paths: [import.meta.dirname] } };
  return JSON.stringify({
    name: 'build',
    'x-dockerctl': {
      backup: { repository: join(root, 'repository'), recipients: [recipient], sources },
    },
  });
}

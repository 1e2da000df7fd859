import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory of the test file's own, gone when its process ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'dockerctl-test-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryDirectory } from './support/temporary-directory.ts';

test('a test file that goes on for too long fails, and ends what it started', async () => {
  const root = temporaryDirectory();
  const [file, ended] = [join(root, 'endless.test.ts'), join(root, 'ended')];
  writeFileSync(
    file,
    `import { writeFileSync } from 'node:fs';
    process.on('exit', () => writeFileSync(${JSON.stringify(ended)}, ''));
    setInterval(() => {}, 1000);\n`,
  );
  const env = { ...process.env, DOCKERCTL_TEST_MINUTES: '0.05' };
  const { code, stdout } = await new Promise<{ code: unknown; stdout: string }>((resolve) => {
    execFile(process.execPath, ['scripts/test.ts', file], { env }, (error, stdout) =>
      resolve({ code: error?.code, stdout }),
    );
  });
  assert.is(code, 1);
  assert.match(stdout, '0 passed, 1 failed');
  assert.ok(existsSync(ended));
});

test.run();

import { PassThrough } from 'node:stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderError } from '../../../src/cli/render/error.ts';

/** What a user of this number reads of an error that nobody put in words. */
function rendered(code: string, uid: number): string {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const error = Object.assign(new Error(`${code}: scandir '/var/lib/dockerctl/catalog'`), { code });
  const own = process.geteuid;
  process.geteuid = () => uid;
  try {
    return renderError(error, 1, { ...streams, argv: [], environment: {}, workingDirectory: '/' });
  } finally {
    process.geteuid = own!;
  }
}

test('what a user who is not root may not do is nothing unexpected: root may', () => {
  for (const code of ['EACCES', 'EPERM']) {
    const lines = `dockerctl: ${code}: scandir '/var/lib/dockerctl/catalog'\n  Run it as root: this user may not\n`;
    assert.is(rendered(code, 1000), lines);
    assert.match(rendered(code, 0), 'This is unexpected; -d shows where it happened.');
  }
  assert.match(rendered('EIO', 1000), 'This is unexpected');
});

test.run();

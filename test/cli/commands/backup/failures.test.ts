import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../../support/cli.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const root = temporaryDirectory();

/** A host whose only source is what a script prints. */
class Host {
  readonly home = mkdtempSync(join(root, 'host-'));
  readonly #script = join(this.home, 'script');
  #timeout = '60s';

  constructor() {
    const source = `{title: The database, run: [sh, ${this.#script}], restore: [cat], timeout: "$TIMEOUT"}`;
    const backup = `{repository: ${this.home}/repository, signing-key: none, keep: {last: 1}, sources: {data: ${source}}}`;
    const text = `name: host\nx-dockerctl: {backup: ${backup}}\n`;
    writeFileSync(join(this.home, 'dockerctl.yaml'), text, { mode: 0o600 });
  }

  /** Backs up what the script prints. */
  async save(script: string): Promise<{ status: number; id: string; stderr: string; warnings: string[] }> {
    writeFileSync(this.#script, script);
    this.#timeout = script.includes('sleep') ? '2s' : '60s';
    const { status, stdout, stderr } = await this.run('--json', 'backup');
    const { id, sources } = JSON.parse(stdout).snapshot;
    return { status, id, stderr, warnings: sources.at(-1).warnings };
  }

  run(...argv: string[]) {
    const options = ['-f', join(this.home, 'dockerctl.yaml'), '--state-dir', join(this.home, 'state')];
    return runCli([...options, ...argv], { environment: { TIMEOUT: this.#timeout } });
  }

  async list(): Promise<string[]> {
    return JSON.parse((await this.run('--json', 'backup', 'list')).stdout).map(
      ({ id }: { id: string }) => id,
    );
  }
}

const good = 'seq 1000';

const failures: [what: string, script: string, says: RegExp][] = [
  ['exits with another status than 0', `${good}; echo "disk on fire" >&2; exit 4`, /exit 4: disk on fire/],
  ['prints nothing and exits with 0', 'exit 0', /printed nothing/],
  ['is cut short', `${good} | head -c 1000; kill -9 $$`, /killed by SIGKILL/],
  ['hangs', `${good}; sleep 600`, /timed out/],
  ['cannot be started', 'exec /nonexistent/dump', /exit 12[67]: .*not found/],
];

for (const [what, script, says] of failures) {
  test(`a dump that ${what} ends with 3 and is told of; older backups stay and the next one is good`, async () => {
    const host = new Host();
    const before = await host.save(good);
    assert.is(before.status, 0, before.stderr);
    const failed = await host.save(script);
    assert.is(failed.status, 3);
    assert.match(failed.warnings.join('\n'), says);
    assert.match(failed.stderr, says);
    // By another host: what this one has verified last it would keep for good.
    const other = ['--state-dir', join(host.home, 'other-state')];
    const checked = await host.run(...other, 'backup', 'verify', '--read-data');
    assert.is(checked.status, 0, checked.stdout);

    assert.is((await host.run('backup', 'prune')).status, 0);
    assert.equal(await host.list(), [before.id, failed.id], 'it pushes no good one out');
    const latest = await host.run('backup', 'cat', 'latest', 'data:output');
    assert.is(latest.stdout.length, 3893, 'the latest is the last good one');

    const after = await host.save(good);
    assert.is(after.status, 0, after.stderr);
    assert.is((await host.run('backup', 'prune')).status, 0);
    assert.equal(await host.list(), [after.id], 'with a newer good one it goes');
  });
}

test('a dump that complains but succeeds is good, and its complaints are kept', async () => {
  const host = new Host();
  const { status, warnings } = await host.save(`${good}; echo "by the way" >&2`);
  assert.is(status, 0);
  assert.equal(warnings, ['by the way']);
});

test('show without a name tells of the newest snapshot, though it failed', async () => {
  const host = new Host();
  await host.save(good);
  const failed = await host.save('echo disk on fire >&2; exit 4');
  const { stdout } = await host.run('backup', 'show');
  assert.match(stdout, failed.id);
  assert.match(stdout, 'disk on fire');
});

test.run();

import { Command } from 'commander';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addCommands } from '../../src/cli/commands/all.ts';
import { describeCommands } from '../../src/cli/completion/describe.ts';
import { runCli } from '../support/cli.ts';

test('--help lists the commands on stdout and exits 0', async () => {
  const { status, stdout, stderr } = await runCli(['--help']);
  assert.is(status, 0);
  assert.match(stdout, 'Usage: dockerctl');
  assert.is(stderr, '');
});

test('no help shows a default in the words of the program', () => {
  const program = new Command('dockerctl').enablePositionalOptions();
  addCommands(program, () => async () => {});
  const commands = describeCommands(program);
  assert.ok(commands.length > 40);
  for (const { path } of commands) {
    const command = path.reduce((at, name) => at.commands.find((sub) => sub.name() === name)!, program);
    assert.not.match(command.helpInformation(), /\(default: [[{"]/, path.join(' '));
  }
});

test('help of whatever takes a snapshot tells how one is named', async () => {
  for (const command of ['show', 'ls', 'cat', 'diff', 'remove', 'export', 'send']) {
    const { stdout } = await runCli(['backup', command, '--help']);
    assert.match(stdout, 'or as latest: the newest complete one', command);
  }
  assert.match((await runCli(['restore', '--help'])).stdout, 'or as latest');
  const backup = (await runCli(['backup', '--help'])).stdout;
  assert.match(backup, '`dockerctl backup [DEST]` is `dockerctl backup create [DEST]`');
});

test('a command that does not exist exits 2 and says where to look', async () => {
  const { status, stdout, stderr } = await runCli(['lst']);
  assert.is(status, 2);
  assert.is(stdout, '');
  assert.match(stderr, "dockerctl: unknown command 'lst'");
  assert.ok(stderr.trimEnd().split('\n').length <= 3);
});

test('whatever is used wrongly names the help that tells about it', async () => {
  for (const [argv, help] of [
    [['lst'], 'dockerctl --help lists the commands'],
    [['--jsn', 'list'], 'dockerctl --help lists the commands'],
    [['images', 'lod'], 'dockerctl images --help lists the commands'],
    [['images', 'load'], 'dockerctl images load --help tells how it is used'],
    [['backup', '--fll'], 'dockerctl backup create --help tells how it is used'],
    [['backup', 'key', 'generat'], 'dockerctl backup key --help lists the commands'],
  ] as const) {
    const { status, stderr } = await runCli(argv);
    assert.is(status, 2, argv.join(' '));
    assert.is(stderr.split('\n')[1], `  ${help}`, argv.join(' '));
  }
});

test('help of a command that does not exist says the same, and names the nearest', async () => {
  for (const [argv, told] of [
    [['help', 'nope'], "unknown command 'nope'\n"],
    [['nope', '--help'], "unknown command 'nope'\n"],
    [['help', 'lst'], "unknown command 'lst' (Did you mean list?)\n"],
    [['lst', '-h'], "unknown command 'lst' (Did you mean list?)\n"],
    [['images', 'help', 'lod'], "unknown command 'lod' (Did you mean load?)\n"],
    [['images', 'lod', '--help'], "unknown command 'lod' (Did you mean load?)\n"],
    [['help', 'images', 'lod'], "unknown command 'lod' (Did you mean load?)\n"],
  ] as const) {
    const { status, stdout, stderr } = await runCli(argv);
    assert.is(status, 2, argv.join(' '));
    assert.is(stdout, '');
    assert.ok(stderr.startsWith(`dockerctl: ${told}`), stderr);
    assert.is(stderr.trimEnd().split('\n').length, 2);
  }
});

test('help of a command that exists is the same, however it is asked for', async () => {
  for (const argv of [
    ['help', 'backup', 'list'],
    ['backup', 'help', 'list'],
    ['backup', 'list', '-h'],
  ]) {
    const { status, stdout } = await runCli(argv);
    assert.is(status, 0);
    assert.match(stdout, /^Usage: dockerctl backup list/);
  }
  assert.match((await runCli(['help', 'images'])).stdout, /^Usage: dockerctl images/);
  assert.match((await runCli(['backup', '/mnt/disk', '--help'])).stdout, /^Usage: dockerctl backup/);
});

test('without a command, what there is to choose from is told, with 2', async () => {
  for (const [argv, choice] of [
    [[], 'backup'],
    [['images'], 'load'],
    [['backup', 'key'], 'generate'],
  ] as const) {
    const { status, stdout, stderr } = await runCli(argv);
    assert.is(status, 2);
    assert.is(stdout, '');
    assert.match(stderr, /^Usage: dockerctl/);
    assert.match(stderr, choice);
    assert.not.match(stderr, 'outputHelp');
  }
});

test('an option with an empty value is refused, before or behind its command, and its help says what to give', async () => {
  const empties: [argv: string[], option: RegExp][] = [
    [['backup', '--tag', ''], /--tag <\w+>/],
    [['backup', '--tag', 'monthly', '--tag='], /--tag <\w+>/],
    [['--host', '', 'list'], /--host <url> {2}engine/],
    [['list', '--host='], /--host <url>/],
    [['-V', '', 'list'], /--release <release>/],
    [['-f', '', 'list'], /--file <file>/],
    [['--state-dir', '', 'backup', 'list'], /--state-dir <dir>/],
    [['backup', 'list', '--repository', ''], /--repository <dir>/],
    [['backup', 'export', 'latest', '-o', ''], /--output <file>/],
    [['backup', 'cat', 'latest', 'a', '-i', ''], /--identity <file>/],
    [['images', 'receipt', '-o', ''], /--output <file>/],
    [['restore', 'latest', '--to', ''], /--to <dir>/],
    [['restore', 'latest', '--only', ''], /--only <source\.\.\.>/],
  ];
  for (const [argv, option] of empties) {
    const { status, stderr } = await runCli(argv);
    assert.is(status, 2, argv.join(' '));
    assert.match(
      stderr,
      /^dockerctl: --[\w-]+: its value is empty\n {2}Give it what it asks for, or leave it away: /,
    );
    assert.match(stderr, option);
  }
});

test('without a command, --json says so in one document', async () => {
  const { status, stderr } = await runCli(['backup', 'key', '--json']);
  assert.is(status, 2);
  assert.is(JSON.parse(stderr).error.message, 'no command is given');
});

test('an error with --json is one JSON document that carries the exit status', async () => {
  const { status, stderr } = await runCli(['--json', 'lst']);
  assert.is(status, 2);
  assert.is(JSON.parse(stderr).error.exit, 2);
});

test('what a terminal would obey does not come through a message', async () => {
  const { stderr } = await runCli(['\u001b]0;owned\u0007\u001b[2Jlst']);
  assert.not.match(stderr, /[\u001b\u0007]/);
  assert.match(stderr, '\\x1b[2Jlst');
});

test('--version prints one line', async () => {
  const { status, stdout } = await runCli(['--version']);
  assert.is(status, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\S*\n$/);
});

test.run();

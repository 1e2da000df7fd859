import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bashCompletion } from '../../../src/cli/completion/bash.ts';
import { describeCommands } from '../../../src/cli/completion/describe.ts';
import { fishCompletion } from '../../../src/cli/completion/fish.ts';
import { zshCompletion } from '../../../src/cli/completion/zsh.ts';
import { runCli } from '../../support/cli.ts';
import { needProgram } from '../../support/debian-program.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const directory = temporaryDirectory();
/** Without files that a shell could offer. */
const nowhere = temporaryDirectory();
const commands = describeCommands(shop());

function shop(): Command {
  const program = new Command('dockerctl').version('1').option('-f, --file <file>', "the operator's file");
  program.addOption(new Option('--secret').hideHelp());
  const images = program.command('images').description('images: "all" of $HOME, `here`');
  images
    .command('load')
    .description("doesn't wait")
    .option('-f, --force', 'at once')
    .option('--select <pattern>');
  images.command('list');
  program.command('inspect');
  program.command('hidden', { hidden: true });
  return program;
}

function scriptFile(shell: string, text: string): string {
  const file = join(directory, shell);
  writeFileSync(file, text);
  return file;
}

const shells: Record<string, (...line: string[]) => string[]> = {
  bash(...line) {
    const script = scriptFile('bash', bashCompletion(commands));
    const run =
      'source "$0"; COMP_WORDS=(dockerctl "$@"); COMP_CWORD=$#; _dockerctl; printf "%s\\n" "${COMPREPLY[@]}"';
    return lines(execFileSync('bash', ['-euc', run, script, ...line], { encoding: 'utf8' }));
  },
  zsh(...line) {
    needProgram('zsh');
    const script = scriptFile('zsh', zshCompletion(commands));
    const stubs =
      'compdef() { : }; _files() { : }; ' +
      '_describe() { for offer in ${(P)2}; do print -r -- ${offer%%:*}; done }; ';
    const run = `${stubs} source "$0"; words=(dockerctl "$@"); CURRENT=$#words; _dockerctl`;
    const all = lines(execFileSync('zsh', ['-fc', run, script, ...line], { encoding: 'utf8' }));
    return all.filter((offer) => offer.startsWith(line.at(-1) ?? ''));
  },
  fish(...line) {
    needProgram('fish');
    const script = scriptFile('fish', fishCompletion(commands));
    const run = 'source $argv[1]; complete -C (string join " " -- dockerctl $argv[2..])';
    const output = execFileSync('fish', ['-Nc', run, script, ...line], { encoding: 'utf8', cwd: nowhere });
    return lines(output).map((offer) => offer.split('\t')[0] ?? '');
  },
};

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

for (const [shell, complete] of Object.entries(shells)) {
  test(`${shell} offers commands, then what is below each`, () => {
    assert.equal(complete('i').sort(), ['images', 'inspect']);
    assert.equal(complete('images', 'l').sort(), ['list', 'load']);
    assert.equal(complete('h'), []);
  });

  test(`${shell} is not misled by options and their values`, () => {
    assert.equal(complete('--file', 'inspect', 'im'), ['images']);
    assert.equal(complete('-f', 'x', 'images', '--file', 'list', 'lo'), ['load']);
  });

  test(`${shell} offers options where they are allowed, the global ones everywhere`, () => {
    assert.equal(complete('--f'), ['--file']);
    assert.equal(complete('images', 'load', '--f').sort(), ['--file', '--force']);
    assert.equal(complete('images', 'load', '--s'), ['--select']);
    assert.equal(complete('--s'), []);
  });
}

test('the real command line has a script for every shell, and no other', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { status, stdout } = await runCli(['completion', shell]);
    assert.is(status, 0);
    assert.match(stdout, /dockerctl/);
    needProgram(shell);
    execFileSync(shell, ['-n', scriptFile(shell, stdout)]);
  }
  assert.is((await runCli(['completion', 'csh'])).status, 2);
});

test.run();

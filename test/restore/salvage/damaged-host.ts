import { randomBytes } from 'node:crypto';
import { cpSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { encodeIdentity, encodeRecipient, generateIdentity } from '../../../src/repository/age/keys.ts';
import { endsSegment } from '../../../src/repository/tree/cut.ts';
import { type CliResult, runCli } from '../../support/cli.ts';

/** A host with two backups of a directory whose tree has three segments, and copies of them to be damaged. */
export interface DamagedHost {
  root: string;
  data: string;
  stateDir: string;
  identity: string | undefined;
  file: string;
  /** Paths in `data` by what they are for; segments end behind `endsFirst` and `endsSecond`. */
  names: Record<
    'before' | 'endsFirst' | 'lost' | 'sub' | 'endsSecond' | 'behind' | 'other' | 'late' | 'large',
    string
  >;
  /** A copy of the repository, spoilt. */
  damage(spoil: (blobs: Blobs) => void): string;
  run(...argv: string[]): Promise<CliResult>;
}

/** Paths of blobs of the second backup. */
export interface Blobs {
  /** Of the data, in order. */
  segments: string[];
  firstPack: string;
  latePack: string;
  /** Of what the command printed. */
  printedPack: string;
  /** The tree of the deployment file. */
  deployment: string;
}

export async function makeDamagedHost(parent: string, { sealed }: { sealed: boolean }): Promise<DamagedHost> {
  const root = mkdtempSync(join(parent, 'host-'));
  const data = pathThat(join(root, 'data-'), false);
  const names = makeFiles(data);
  const key = generateIdentity();
  const identity = sealed ? join(root, 'identity') : undefined;
  if (identity) writeFileSync(identity, encodeIdentity(key));
  const file = join(root, 'host.yaml');
  const recipients = sealed ? `recipients: [${encodeRecipient(key)}]` : '';
  const text = `name: host
x-dockerctl:
  backup:
    repository: ${root}/repository
    ${recipients}
    sources:
      data: {title: The data, paths: [${data}]}
      printed: {title: What is printed, run: [cat, ${root}/printed], restore: [tee, ${root}/back]}
`;
  writeFileSync(file, text, { mode: 0o600 });
  writeFileSync(join(root, 'printed'), 'printed by a command');
  const stateDir = join(root, 'state');
  const run = (...argv: string[]) => runCli(['-f', file, '--state-dir', stateDir, ...argv]);
  const backUp = async () => {
    const { status, stderr } = await run('backup');
    assert.is(status, 0, stderr);
  };
  await backUp();
  writeFileSync(join(data, names.late), 'came late');
  await backUp();
  const damage: DamagedHost['damage'] = (spoil) => {
    const directory = join(mkdtempSync(join(root, 'copy-')), 'repository');
    cpSync(join(root, 'repository'), directory, { recursive: true });
    spoil(blobsIn(directory));
    return directory;
  };
  return { root, data, stateDir, identity, file, names, damage, run };
}

function makeFiles(data: string): DamagedHost['names'] {
  mkdirSync(data);
  const inside = (name: string, cuts: boolean) => pathThat(join(data, name), cuts).slice(data.length + 1);
  const sub = inside('d-', false);
  const names = {
    before: inside('a-', false),
    endsFirst: inside('b-', true),
    lost: inside('c-', false),
    sub,
    endsSecond: inside(`${sub}/e-`, true),
    behind: inside(`${sub}/f-`, false),
    other: inside(`${sub}/other-name-`, false),
    late: inside('late-', false),
    large: inside('z-', false),
  };
  mkdirSync(join(data, sub), { mode: 0o750 });
  for (const name of [names.before, names.endsFirst, names.lost, names.endsSecond, names.behind])
    writeFileSync(join(data, name), `content of ${name}`);
  linkSync(join(data, names.lost), join(data, names.other));
  writeFileSync(join(data, names.large), randomBytes(9_000_000));
  return names;
}

/** A path that begins so, and does or does not end a segment of a tree. */
function pathThat(beginning: string, cuts: boolean): string {
  for (let i = 0; ; i++) if (endsSegment(`${beginning}${i}`.slice(1), 10) === cuts) return `${beginning}${i}`;
}

function blobsIn(directory: string): Blobs {
  const blob = (digest: string) => join(directory, 'blobs', 'sha256', digest.slice('sha256:'.length));
  const read = (digest: string) => JSON.parse(readFileSync(blob(digest), 'utf8'));
  const { manifests } = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8'));
  const [first, second] = manifests.map(({ digest }: { digest: string }) => read(digest));
  type Layer = { digest: string; mediaType: string; annotations: Record<string, string> };
  const packsOf = (layers: Layer[], source: string) =>
    layers.flatMap(({ digest, mediaType, annotations }) =>
      mediaType.includes('pack') && Object.values(annotations).includes(source) ? blob(digest) : [],
    );
  const [firstPack] = packsOf(first.layers, 'data');
  const latePack = packsOf(second.layers, 'data').find((path) => path !== firstPack);
  const [printedPack] = packsOf(second.layers, 'printed');
  const { sources } = read(second.config.digest);
  const treeOf = (source: string): string[] => {
    return sources.find(({ name }: { name: string }) => name === source).tree.map(blob);
  };
  return {
    segments: treeOf('data'),
    firstPack: firstPack!,
    latePack: latePack!,
    printedPack: printedPack!,
    deployment: treeOf('deployment')[0]!,
  };
}

export const lose = (path: string) => rmSync(path);

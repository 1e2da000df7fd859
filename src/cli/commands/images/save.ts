import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { SavedBundle, SaveRequest } from '../../../releases/save/save.ts';
import { NotFoundError } from '../../../support/errors.ts';
import { count, formatBytes } from '../../../support/quantities.ts';
import { compressionLevel, saveFormat, saveTarget } from '../../arguments/archive-output.ts';
import { repeated } from '../../arguments/repeated.ts';
import { catalogOf } from '../../catalog.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { printable } from '../../render/table.ts';
import { version } from '../../version.ts';

export function addImagesSave(images: Command, wrap: Wrap): void {
  images
    .command('save [image...]')
    .description(
      'save images, a release, or what the deployment file names, as a bundle that docker load reads',
    )
    .option('-o, --output <file>', 'where to; - or nothing is standard output')
    .option('--format <format>', 'tar, tar.gz, tar.xz or tar.zst, instead of what the name ends in')
    .option('--level <level>', 'how hard to compress, as gzip, xz and zstd count')
    .option('--since <receipt|release>', 'leave out what that host, or who has that release, has already')
    .option('--split <size>', 'write volumes smaller than this, such as 4G for a FAT32 disk')
    .option('--sign <key>', 'sign with this SSH key (a private key, or the public half of one in the agent)')
    .option(
      '--attach <file>',
      'let a file travel with the release, such as an SBOM; may be repeated',
      repeated,
    )
    .action(wrap(save));
}

async function save(session: Session, { args: [images], options }: ParsedInput): Promise<undefined> {
  const { saveImages } = await import('../../../releases/save/save.ts');
  const target = await saveTarget(session, options);
  const request: SaveRequest = {
    ...(await whatToSave(session, images)),
    target,
    format: await saveFormat(target, options.format),
    level: compressionLevel(options.level),
    ...(options.since !== undefined && { base: await deltaBase(session, options.since) }),
    ...(options.sign !== undefined && { signingKey: resolve(session.io.workingDirectory, options.sign) }),
    attachments: ((options.attach ?? []) as string[]).map((file) =>
      resolve(session.io.workingDirectory, file),
    ),
    tool: `dockerctl ${version}`,
  };
  if (session.global.dryRun) {
    session.result(request, ({ images: all }) => `would save ${all.join(', ')}`);
    return;
  }
  const bundle = await saveImages(await session.engine(), request, session.context);
  if (target.kind !== 'stream') session.report(bundle, renderBundle);
}

/** The images that were named; else those of the release; else those of the deployment file. */
async function whatToSave(
  session: Session,
  images: readonly string[],
): Promise<Pick<SaveRequest, 'images' | 'release' | 'record'>> {
  const { release } = session.global;
  if (images.length > 0) return { images, release };
  const catalog = await catalogOf(session);
  const known = await catalog.releases();
  const record = known.find((candidate) => candidate.release === release);
  if (record !== undefined) {
    return {
      images: record.images.flatMap(({ references, config }) => references[0] ?? config),
      release,
      record,
    };
  }
  const deployment = await session.deployment().catch(async (error: unknown) => {
    // Whoever names a release wants to hear of releases.
    if (release !== undefined && error instanceof NotFoundError) await catalog.find(release);
    throw error;
  });
  const used = [...new Set(deployment.services.map(({ image }) => image))];
  return { images: used, release: deployment.release };
}

/** A receipt when there is such a file, else a release of the catalog. */
async function deltaBase(session: Session, since: string): Promise<SaveRequest['base']> {
  const [{ baseOfReceipt, readReceipt }, { baseOfRelease }] = await Promise.all([
    import('../../../releases/save/receipt.ts'),
    import('../../../releases/save/delta.ts'),
  ]);
  const file = resolve(session.io.workingDirectory, since);
  if (since.includes('/') || existsSync(file)) return baseOfReceipt(await readReceipt(file));
  const catalog = await catalogOf(session);
  return baseOfRelease(await catalog.find(since).catch((error: unknown) => neitherFileNor(error, since)));
}

function neitherFileNor(error: unknown, since: string): never {
  if (!(error instanceof NotFoundError)) throw error;
  const { message, advice, facts } = error;
  throw new NotFoundError(`--since ${since}: there is no such file, and ${message}`, {
    ...(advice !== undefined && { advice }),
    facts,
  });
}

function renderBundle({ document, files, size, signed }: SavedBundle): string {
  const { images, base, release } = document;
  const what = [release === undefined ? undefined : `release ${release}`, count(images.length, 'image')];
  const facts = [
    formatBytes(size),
    base === undefined
      ? undefined
      : `without ${count(base.layers.length, 'layer')} that ${base.release === undefined ? 'the receiver' : `release ${base.release}`} has`,
    signed ? 'signed' : undefined,
  ];
  const isThere = (text: string | undefined) => text !== undefined;
  return `${files.map(printable).join('\n')}\n${what.filter(isThere).join(', ')}: ${facts.filter(isThere).join(', ')}`;
}

import type { Command } from 'commander';
import type { VerifiedArchive } from '../../../releases/verify.ts';
import type { VerifiedRelease } from '../../../releases/verify-release.ts';
import { type DockerctlError, UsageError } from '../../../support/errors.ts';
import { count, formatBytes } from '../../../support/quantities.ts';
import { archiveInputs, signersOf } from '../../arguments/archive-inputs.ts';
import { imagesOf } from '../../catalog.ts';
import type { Session } from '../../context.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { printable, renderTable } from '../../render/table.ts';

export function addImagesVerify(images: Command, wrap: Wrap): void {
  images
    .command('verify [file...]')
    .description(
      'check every digest in image archives, or with --release that the engine still holds that release',
    )
    .action(wrap(verify));
}

async function verify(session: Session, { args: [files] }: ParsedInput): Promise<number> {
  if (files.length > 0) return await verifyFiles(session, files);
  const { release } = session.global;
  if (release === undefined) throw new UsageError('verify what? neither a file nor --release was given');
  const { verifyRelease } = await import('../../../releases/verify-release.ts');
  const verified = await verifyRelease(release, await imagesOf(session));
  session.result(verified, renderRelease);
  return verified.images.some(({ problem }) => problem !== undefined) ? exitCodes.damaged : exitCodes.done;
}

async function verifyFiles(session: Session, files: readonly string[]): Promise<number> {
  const { verifyArchives } = await import('../../../releases/verify.ts');
  const failures: DockerctlError[] = [];
  const onFailure = (error: DockerctlError) => void failures.push(error);
  const options = { signers: await signersOf(session), onFailure };
  const archives = await verifyArchives(archiveInputs(session.io, files), options, session.context);
  if (archives.length > 0)
    session.result(archives, (all) => all.map((archive) => printable(renderArchive(archive))).join('\n'));
  const [first, ...others] = failures;
  for (const { message } of others) session.context.progress.warn(message);
  if (first !== undefined) throw first;
  return exitCodes.done;
}

function renderArchive({ archive, images, unverified, bytes, release, signedBy }: VerifiedArchive): string {
  const of = release === undefined ? '' : ` of release ${release}`;
  const what = `${count(images, 'image')}${of}, ${formatBytes(bytes)}`;
  if (unverified > 0) {
    return `${archive}: no damage found: ${what}; ${count(unverified, 'layer')} could not be verified, for docker save up to 1.9 wrote no digests`;
  }
  return `${archive}: whole: ${what}${signedBy === undefined ? '' : `, signed by ${signedBy}`}`;
}

function renderRelease({ release, images }: VerifiedRelease): string {
  const table = renderTable(
    ['IMAGE', ''],
    images.map(({ reference, problem }) => [reference, problem ?? 'as it was loaded']),
  );
  if (images.every(({ problem }) => problem === undefined)) return table;
  return `${table.trimEnd()}\nLoad the archive of release ${release} again: dockerctl images load FILE`;
}

import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import type { BundleFormat } from '../../archive/compress/block-format.ts';
import type { SaveTarget } from '../../releases/save/target.ts';
import { UsageError } from '../../support/errors.ts';
import type { Session } from '../context.ts';

/** Where an archive goes, by the options `--output` and `--split`. */
export async function saveTarget(
  session: Session,
  { output, split }: Record<string, string>,
): Promise<SaveTarget> {
  if (output === undefined || output === '-') {
    if (split !== undefined) throw new UsageError('volumes need a name', { advice: 'Give one with -o FILE' });
    if (session.io.stdout.isTTY) {
      throw new UsageError('an archive is nothing for a terminal', { advice: 'Give a file with -o FILE' });
    }
    return { kind: 'stream', stream: session.io.stdout as Writable };
  }
  const { writablePath } = await import('../../releases/save/target.ts');
  const path = await writablePath(resolve(session.io.workingDirectory, output));
  return split === undefined
    ? { kind: 'file', path }
    : { kind: 'volumes', path, limit: await volumeSize(split) };
}

async function volumeSize(text: string): Promise<number> {
  const { parseSize } = await import('../../deployment/schema/units.ts');
  const size = parseSize(text);
  if (size !== undefined) return size;
  throw new UsageError(`${text} is no size for volumes`, { advice: 'Give one such as 4G or 650MiB' });
}

/** How it is compressed: as `--format` says, else as its name ends; a stream is plain. */
export async function saveFormat(target: SaveTarget, asked: string | undefined): Promise<BundleFormat> {
  const { bundleFormats, formatOfName, isBundleFormat } = await import(
    '../../archive/compress/block-format.ts'
  );
  if (isBundleFormat(asked)) return asked;
  if (asked !== undefined) {
    throw new UsageError(`${asked} is no format for archives`, {
      advice: `There are ${bundleFormats.join(', ')}`,
    });
  }
  return target.kind === 'stream' ? 'tar' : formatOfName(target.path);
}

/** What `--level` says. Which levels there are depends on the format. */
export function compressionLevel(text: string | undefined): number | undefined {
  if (text === undefined || /^\d+$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new UsageError(`${text} is no compression level`, { advice: 'Give a number, such as 6' });
}

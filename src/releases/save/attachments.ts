import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Attachment } from '../../archive/index/release-document.ts';
import { digestOf } from '../../oci/digest.ts';
import { codeOf, NotFoundError, UsageError } from '../../support/errors.ts';

/** A file that travels with a release, such as an SBOM. */
export interface AttachedFile {
  attachment: Attachment;
  bytes: Uint8Array;
}

/** Attachments are held in memory. */
const maxSize = 64 << 20;

/**
 * Reads the files that are to be attached, sorted by name.
 * @throws {NotFoundError} when there is no such file
 * @throws {UsageError} when two have the same name, or one is too large
 */
export async function readAttachments(paths: readonly string[]): Promise<AttachedFile[]> {
  const files = await Promise.all(paths.map(readAttachment));
  files.sort((a, b) => (a.attachment.name < b.attachment.name ? -1 : 1));
  for (const [i, { attachment }] of files.entries()) {
    if (attachment.name !== files[i + 1]?.attachment.name) continue;
    throw new UsageError(`two attachments are called ${attachment.name}`, { advice: 'Rename one of them' });
  }
  return files;
}

async function readAttachment(path: string): Promise<AttachedFile> {
  const bytes = await readBounded(path).catch((cause: unknown) => {
    if (codeOf(cause) !== 'ENOENT') throw cause;
    throw new NotFoundError(`attaching ${path}: there is no such file`, { cause });
  });
  const mediaType = sbomType(bytes);
  return {
    attachment: { name: basename(path), mediaType, digest: digestOf(bytes), size: bytes.length },
    bytes,
  };
}

async function readBounded(path: string): Promise<Buffer> {
  const found = await stat(path);
  if (!found.isFile()) throw new UsageError(`attaching ${path}: it is not a regular file`);
  const { size } = found;
  if (size <= maxSize) return await readFile(path);
  throw new UsageError(`attaching ${path}: it has ${size} bytes, attachments at most ${maxSize}`);
}

/**
 * Tells SBOMs by what is in them. Sources: SPDX 2.3 (JSON: `spdxVersion`; tag-value: `SPDXVersion:`), SPDX 3.0 (JSON-LD
 * with the SPDX context), CycloneDX 1.6 (JSON: `bomFormat`; XML: its namespace).
 */
export function sbomType(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, 1 << 16))
    .toString('utf8')
    .trimStart();
  if (text.startsWith('{')) {
    if (/"bomFormat"\s*:\s*"CycloneDX"/.test(text)) return 'application/vnd.cyclonedx+json';
    if (/"spdxVersion"\s*:\s*"SPDX-|"@context"\s*:\s*"https:\/\/spdx\.org\//.test(text))
      return 'application/spdx+json';
  }
  if (text.startsWith('<') && text.includes('http://cyclonedx.org/schema/bom'))
    return 'application/vnd.cyclonedx+xml';
  if (/^SPDXVersion:\s*SPDX-/m.test(text)) return 'text/spdx';
  return 'application/octet-stream';
}

import { type Digest, digestOf } from '../../../oci/digest.ts';
import { DamagedError } from '../../../support/errors.ts';
import { entryPath } from '../../tar/entry-path.ts';
import type { ArchiveFiles } from '../archive-files.ts';
import { parseJson } from '../archive-files.ts';
import { checked, dockerManifest, imageConfig } from '../documents.ts';
import type { ArchiveImage, ArchiveLayer } from '../image-index.ts';
import { familiarReference } from '../reference.ts';

/** The images that `manifest.json` names, as `docker save` (from 1.10), podman and skopeo write it. */
export async function imagesOfDockerManifest(files: ArchiveFiles): Promise<ArchiveImage[]> {
  const where = `${files.name}: manifest.json`;
  const document = await files.json(files.file('manifest.json', 'the archive'));
  const images: ArchiveImage[] = [];
  for (const entry of checked(dockerManifest, document, where)) {
    const { config, platform, diffIds } = await readConfig(files, entry.Config, where);
    if (diffIds.length !== entry.Layers.length) {
      const counts = `${entry.Layers.length} layers, but its config has ${diffIds.length} diff ids`;
      throw new DamagedError(`${where}: ${entry.Config} has ${counts}`);
    }
    const layers = diffIds.map((diffId, i) => dockerLayer(files, diffId, entry.Layers[i]!, where));
    const references = entry.RepoTags.map((reference) => familiarReference(reference, where));
    images.push({ references, platform, config, layers });
  }
  return images;
}

async function readConfig(files: ArchiveFiles, name: string, where: string) {
  const file = files.file(entryPath(name, where), 'manifest.json');
  const bytes = await files.bytes(file);
  const digest = digestOf(bytes);
  const promised = /(?:^|\/)([0-9a-f]{64})(?:\.json)?$/.exec(name)?.[1];
  if (promised !== undefined && digest !== `sha256:${promised}`) {
    throw new DamagedError(`${files.name}: ${name}: its bytes have digest ${digest}`, {
      facts: { path: name, offset: file.offset, got: digest, want: `sha256:${promised}` },
    });
  }
  const at = `${files.name}: ${name}`;
  const { os, architecture, variant, rootfs } = checked(imageConfig, parseJson(bytes, at), at);
  const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  return { config: { digest, bytes }, platform, diffIds: rootfs.diff_ids };
}

/** A delta leaves layers out; whether one may be missing is for those to say who know what the engine has. */
function dockerLayer(files: ArchiveFiles, diffId: Digest, name: string, where: string): ArchiveLayer {
  const file = files.find(entryPath(name, where));
  if (file !== undefined && file.kind !== 'file') throw new DamagedError(`${where}: ${name} is not a file`);
  return { diffId, path: file?.path, digest: undefined, size: file?.size ?? 0, mediaType: undefined };
}

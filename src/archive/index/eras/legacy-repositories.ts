import type { Digest } from '../../../oci/digest.ts';
import { digestOf } from '../../../oci/digest.ts';
import { DamagedError } from '../../../support/errors.ts';
import type { ArchiveFiles } from '../archive-files.ts';
import { checked, legacyLayer, repositories } from '../documents.ts';
import type { ArchiveImage, ArchiveLayer } from '../image-index.ts';
import { familiarReference } from '../reference.ts';

/** As many ancestors as an image may have; Docker itself stops at 127. */
const maxAncestors = 512;

interface LegacyLayer {
  layer: ArchiveLayer;
  json: Record<string, unknown> & { id: string; parent?: string | undefined };
}

/**
 * The images of `docker save` up to 1.9: `repositories` names the topmost layer of each tag, `<id>/json` its parent.
 * Such images have no config; one is made of their JSON, the way Docker 1.10 migrated them.
 */
export async function imagesOfRepositories(files: ArchiveFiles): Promise<ArchiveImage[]> {
  const where = `${files.name}: repositories`;
  const document = checked(repositories, await files.json(files.file('repositories', 'the archive')), where);
  const images = new Map<string, ArchiveImage>();
  for (const [repository, tags] of Object.entries(document)) {
    for (const [tag, id] of Object.entries(tags)) {
      const image = images.get(id) ?? (await legacyImage(files, id));
      image.references.push(familiarReference(`${repository}:${tag}`, where));
      images.set(id, image);
    }
  }
  return [...images.values()];
}

async function legacyImage(files: ArchiveFiles, id: string): Promise<ArchiveImage> {
  const chain = await ancestry(files, id);
  const bytes = Buffer.from(JSON.stringify(migratedConfig(chain)));
  const { os, architecture } = chain.at(-1)!.json as { os?: string; architecture?: string };
  return {
    references: [],
    platform: { os: os ?? 'linux', architecture: architecture ?? 'amd64' },
    config: { digest: digestOf(bytes), bytes },
    layers: chain.map(({ layer }) => layer),
  };
}

/** From the lowest layer to the one with `id`. */
async function ancestry(files: ArchiveFiles, id: string): Promise<LegacyLayer[]> {
  const chain: LegacyLayer[] = [];
  for (let at: string | undefined = id; at !== undefined && at !== ''; ) {
    if (chain.length > maxAncestors)
      throw new DamagedError(`${files.name}: ${id} has more than ${maxAncestors} ancestors`);
    const next = await readLayer(files, at);
    chain.unshift(next);
    at = next.json.parent;
  }
  return chain;
}

async function readLayer(files: ArchiveFiles, id: string): Promise<LegacyLayer> {
  if (!/^[0-9a-f]{64}$/.test(id))
    throw new DamagedError(`${files.name}: ${JSON.stringify(id)} is no layer id`);
  const where = `${files.name}: ${id}/json`;
  const json = checked(legacyLayer, await files.json(files.file(`${id}/json`, 'repositories')), where);
  if (json.id !== id) throw new DamagedError(`${where}: is about ${json.id}`);
  const file = files.file(`${id}/layer.tar`, `${id}/json`);
  const diffId: Digest = await files.diffId(file);
  return {
    json,
    layer: { diffId, path: file.path, digest: undefined, size: file.size, mediaType: undefined },
  };
}

/** Source: moby, `image/v1/imagev1.go`, `MakeConfigFromV1Config` and `HistoryFromConfig`. */
function migratedConfig(chain: LegacyLayer[]): Record<string, unknown> {
  const { id, parent, Size, parent_id, layer_id, throwaway, ...top } = chain.at(-1)!.json;
  const history = chain.map(({ json }) => ({
    created: json.created ?? '1970-01-01T00:00:00Z',
    author: json.author,
    created_by: (json.container_config as { Cmd: string[] } | null | undefined)?.Cmd.join(' '),
    comment: json.comment,
  }));
  return { ...top, rootfs: { type: 'layers', diff_ids: chain.map(({ layer }) => layer.diffId) }, history };
}

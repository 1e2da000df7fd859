import * as z from 'zod';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';

/** The shapes of the documents in image archives; what we do not use is not looked at. */

const digest = z.custom<Digest>(isDigest, 'is not a sha256 digest');

/** Go writes an empty list as `null`, or leaves it out. */
function list<T extends z.ZodType>(of: T) {
  return z
    .array(of)
    .nullish()
    .transform((items) => items ?? []);
}

/**
 * `manifest.json` of `docker save` (Docker Image Specification v1.2, "Combined Image JSON + Filesystem Changeset
 * Format").
 */
export const dockerManifest = z.array(
  z.object({ Config: z.string().min(1), RepoTags: list(z.string()), Layers: list(z.string()) }),
);

/** The image config (OCI Image Format 1.1, "Image Configuration"; Docker's own is the same here). */
export const imageConfig = z.object({
  os: z.string().default('linux'),
  architecture: z.string().default(''),
  variant: z.string().optional(),
  rootfs: z.object({ diff_ids: list(digest) }),
});

const platform = z.object({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().optional(),
});

const descriptor = z.object({
  mediaType: z.string().default(''),
  digest,
  size: z.number().int().nonnegative(),
  annotations: z.record(z.string(), z.string()).nullish(),
  platform: platform.nullish(),
  artifactType: z.string().optional(),
}) as unknown as z.ZodType<Descriptor>;

/** An OCI index or a Docker manifest list. */
export const index = z.object({ manifests: list(descriptor) });

/** An OCI or Docker image manifest. */
export const manifest = z.object({
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  config: descriptor,
  layers: list(descriptor),
});

/** `repositories` of every Docker up to 24: repository, tag, id of the topmost layer. */
export const repositories = z.record(z.string(), z.record(z.string(), z.string()));

/** `<id>/json` of Docker up to 1.9, one per layer. */
export const legacyLayer = z.looseObject({
  id: z.string(),
  parent: z.string().optional(),
  created: z.string().optional(),
  author: z.string().optional(),
  comment: z.string().optional(),
  os: z.string().optional(),
  architecture: z.string().optional(),
  container_config: z.object({ Cmd: list(z.string()) }).nullish(),
});

/** @throws {DamagedError} naming the first thing in `value` that is not as `shape` says */
export function checked<T extends z.ZodType>(shape: T, value: unknown, where: string): z.output<T> {
  const result = shape.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const key = issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  throw new DamagedError(`${where}: ${key}${issue.message}`);
}

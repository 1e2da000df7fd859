import * as z from 'zod';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';
import { parseJson } from './archive-files.ts';

/** The first entry of a bundle: which release it is and exactly what belongs to it (docs/bundle-format.md). */
export interface ReleaseDocument {
  /** Who wrote it: `dockerctl 1.0.0`. */
  tool: string;
  release?: string | undefined;
  images: ReleaseImage[];
  /** Of a delta: what the receiver must have. */
  base?: ReleaseBase | undefined;
  attachments: Attachment[];
}

export interface ReleaseImage {
  /** `name:tag`, as Docker shows them, sorted. */
  references: string[];
  platform: { os: string; architecture: string; variant?: string | undefined };
  manifest: SizedDigest;
  config: SizedDigest;
  /** Lowest first; the digest is the diff id, the size that of the uncompressed tar. */
  layers: SizedDigest[];
}

export interface ReleaseBase {
  /** The release whose layers were left out, when it is known by a name. */
  release?: string | undefined;
  /** The layers that are not in the archive, sorted. */
  layers: Digest[];
}

export interface SizedDigest {
  digest: Digest;
  /** Bytes. */
  size: number;
}

export interface Attachment extends SizedDigest {
  name: string;
  mediaType: string;
}

export const releaseDocumentPath = 'dockerctl/release.json';
export const releaseSignaturePath = 'dockerctl/release.json.sig';

const schema = 1;

/** The document's bytes: the same for the same content, ready to be signed. */
export function encodeReleaseDocument(document: ReleaseDocument): string {
  const { tool, release, images, base, attachments } = document;
  return `${JSON.stringify({ schema, tool, release, images, base, attachments }, undefined, 2)}\n`;
}

const digest = z.custom<Digest>(isDigest, 'is not a sha256 digest');
const size = z.number().int().nonnegative();
const sized = z.object({ digest, size });

const shape = z.object({
  schema: z.literal(schema, `is not ${schema}: a newer dockerctl wrote this bundle`),
  tool: z.string(),
  release: z.string().optional(),
  images: z.array(
    z.object({
      references: z.array(z.string()),
      platform: z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() }),
      manifest: sized,
      config: sized,
      layers: z.array(sized),
    }),
  ),
  base: z.object({ release: z.string().optional(), layers: z.array(digest) }).optional(),
  attachments: z.array(sized.extend({ name: z.string(), mediaType: z.string() })),
});

/**
 * @param where names the document in errors
 * @throws {DamagedError} when it is not such a document, or one of a schema that we do not know
 */
export function parseReleaseDocument(bytes: Uint8Array, where: string): ReleaseDocument {
  const result = shape.safeParse(parseJson(bytes, where));
  if (result.success) {
    const { schema: _, ...document } = result.data;
    return document;
  }
  const issue = result.error.issues[0]!;
  throw new DamagedError(`${where}: ${issue.path.join('.') || 'the document'} ${issue.message}`);
}

/** Layers that images of the document need and the archive does not hold, because the receiver has them. */
export function layersLeftOut(document: ReleaseDocument): ReadonlySet<Digest> {
  return new Set(document.base?.layers);
}

import type { Engine, ImageDetails } from '../../src/engine/engine.ts';
import type { FixtureImage } from '../archive/fixtures/images.ts';
import { type Entry, tarOf } from '../archive/fixtures/tar.ts';

/** As much of an engine as saving needs, whose stream is the one that some era of Docker writes. */
export function engineOfEra(
  write: (images: readonly FixtureImage[]) => Entry[],
  images: readonly FixtureImage[],
  { cut = 0 } = {},
): Engine {
  const chosen = (references: readonly string[]) =>
    images.filter((image) => image.references.some((reference) => references.includes(reference)));
  return {
    info: async () => ({ os: 'linux', architecture: 'amd64', store: 'classic' }),
    images: {
      inspect: async (reference: string) => chosen([reference]).map(detailsOf)[0],
      save: async (references: readonly string[]) => {
        const tar = await tarOf(write(chosen(references)));
        return inPieces(tar.subarray(0, tar.length - cut));
      },
    },
  } as unknown as Engine;
}

function detailsOf({ config, references, layers }: FixtureImage): ImageDetails {
  return {
    id: config.digest,
    tags: references,
    diffIds: layers.map(({ diffId }) => diffId),
    size: layers.reduce((sum, { tar }) => sum + tar.length, 0),
  } as ImageDetails;
}

/** In memory that is used again, as the engine room promises no more. */
async function* inPieces(bytes: Buffer): AsyncGenerator<Buffer> {
  const memory = Buffer.alloc(10_007);
  for (let at = 0; at < bytes.length; at += memory.length) {
    yield memory.subarray(0, bytes.copy(memory, 0, at));
    memory.fill(0);
  }
}

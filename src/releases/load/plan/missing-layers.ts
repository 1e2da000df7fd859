import type { ImageIndex } from '../../../archive/index/image-index.ts';
import type { Digest } from '../../../oci/digest.ts';
import { DamagedError, type DockerctlError } from '../../../support/errors.ts';
import { missingBase } from '../../save/delta.ts';

/**
 * What to say when layers are neither in an archive nor on the engine: of a delta the base is missing, anything else
 * was cut short.
 * @param name of the archive
 */
export function missingLayers(
  name: string,
  { release }: ImageIndex,
  missing: readonly Digest[],
): DockerctlError {
  const layers = [...new Set(missing)];
  if (release?.document.base !== undefined) return missingBase(release.document, layers, name);
  return layersCutOff(name, layers);
}

/** What to say when an archive should hold layers and does not. */
export function layersCutOff(name: string, layers: readonly Digest[]): DamagedError {
  const count =
    layers.length === 1 ? 'a layer of its images is' : `${layers.length} layers of its images are`;
  return new DamagedError(`${name}: ${count} missing, the first ${layers[0]}`, {
    advice: 'The archive was cut short or put together wrongly: get it again from where it came from',
    facts: { layers },
  });
}

import { tarEnd, tarFile } from '../../../support/tar/writer.ts';
import { closingDocuments, type SentImage } from './documents.ts';

/**
 * The end of a stream to the engine: what makes images of the layers that it was sent. Of an image that it has already
 * it would make another one, where that is below an index.
 * @throws {NothingToKeep} when it has all of them
 */
export function* closing(images: readonly SentImage[]): Generator<Uint8Array> {
  const lacking = images.filter(({ held }) => held === undefined);
  if (lacking.length === 0) throw new NothingToKeep();
  for (const { name, bytes } of closingDocuments(lacking)) yield* tarFile(name, bytes);
  yield tarEnd;
}

/**
 * Breaks a stream off of which the engine is to keep nothing: to one that ends without images it answers with an error.
 */
export class NothingToKeep extends Error {}

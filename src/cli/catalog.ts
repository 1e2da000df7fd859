import type { Catalog } from '../releases/catalog/catalog.ts';
import type { ImageHost } from '../releases/image-host.ts';
import type { Session } from './context.ts';

/**
 * The releases this host knows, for who only looks: of one whose record is damaged it warns. Who removes opens the
 * strict one.
 */
export async function catalogOf({ context }: Session): Promise<Catalog> {
  const { openCatalog } = await import('../releases/catalog/catalog.ts');
  return openCatalog(context.stateDir, context.progress.warn);
}

/** What this host has of images: in its engine, and by release. */
export async function imagesOf(session: Session): Promise<ImageHost> {
  return { engine: await session.engine(), catalog: await catalogOf(session) };
}

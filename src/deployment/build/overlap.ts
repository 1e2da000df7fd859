import { overlap } from '../../support/path-containment.ts';
import type { Source } from '../backup-settings.ts';
import type { Volume } from '../deployment.ts';
import type { FileContext } from './file-context.ts';

/** What a source takes: two sources overlap when one of these lies in the other. */
interface Extent {
  source: string;
  /** Path-like: `/etc/puppet`, `volume:shop_uploads`, `dump:postgres/shop`. */
  place: string;
  words: string;
}

/** Data that two sources hold would be stored twice and restored twice, the second time over the first. */
export function refuseOverlaps(
  sources: readonly Source[],
  volumes: readonly Volume[],
  context: FileContext,
): void {
  const extents = sources.flatMap((source) => extentsOf(source, volumes));
  for (const [index, later] of extents.entries()) {
    const earlier = extents.slice(0, index).find((other) => overlap(other.place, later.place));
    if (earlier === undefined) continue;
    const other = earlier.source === later.source ? 'itself' : `the source ${earlier.source}`;
    throw context.problem(
      ['x-dockerctl', 'backup', 'sources', later.source],
      `${later.words} overlaps with ${earlier.words} of ${other}`,
      'Every file belongs to one source only; narrow one of the two',
    );
  }
}

function extentsOf(source: Source, volumes: readonly Volume[]): Extent[] {
  const extent = (place: string, words = place) => ({ source: source.name, place, words });
  switch (source.kind) {
    case 'paths':
      return source.paths.map((path) => extent(path));
    case 'volume': {
      const name = volumes.find(({ key }) => key === source.volume)?.name ?? source.volume;
      return [extent(`volume:${name}`, `the volume ${source.volume}`)];
    }
    case 'dump': {
      const place = `dump:${source.service ?? ''}:${source.engine}`;
      const parts = source.engine === 'sqlite' ? source.files : source.databases;
      const whole = extent(place, `the dump of ${source.service ?? 'this host'}`);
      return parts.length === 0
        ? [whole]
        : parts.map((part) => extent(`${place}/${part}`, `${part} of ${source.service ?? 'this host'}`));
    }
    case 'images':
      return [extent('images:', 'the images')];
    case 'run':
      return [];
  }
}

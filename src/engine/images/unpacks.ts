import type { EngineInfo } from '../engine.ts';

/**
 * Whether an engine unpacks layers that are compressed like this, by their first bytes. The classic store knows gzip,
 * bzip2 and xz, and from Docker 23.0 on zstd (moby, `pkg/archive`); the containerd store gzip and zstd (containerd,
 * `archive/compression`). Either takes anything else for a broken tar.
 */
export function unpacksLayers(
  { store, version }: Pick<EngineInfo, 'store' | 'version'>,
  compression: string,
): boolean {
  if (compression === 'gzip') return true;
  if (compression === 'zstd') return store === 'containerd' || !isOlderThan23(version);
  return store === 'classic';
}

/** What does not begin with a number (`dev`) is new. */
function isOlderThan23(version: string): boolean {
  return Number.parseInt(version, 10) < 23;
}

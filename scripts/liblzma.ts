import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheSubdirectory } from './fixtures/cache.ts';

/** A liblzma to link against. */
export interface Liblzma {
  version: string;
  /** Path of the static library. */
  archive: string;
  /** The directory of `lzma.h`. */
  headers: string;
}

/** Of Debian's releases the first whose liblzma has a decoder without branches for every bit (5.6 and later). */
const suite = 'trixie';

/**
 * The static liblzma of a newer Debian, which apt fetches once, verified by Debian's signature, and the cache keeps;
 * where that cannot be had, the one that is installed; `undefined` when there is none.
 */
export function liblzma(): Liblzma | undefined {
  const root = join(cacheSubdirectory('liblzma'), suite);
  if (!existsSync(root)) fetchInto(root);
  return liblzmaIn(root, suite) ?? liblzmaIn('/', 'installed');
}

function liblzmaIn(root: string, version: string): Liblzma | undefined {
  const [archive] = globSync(join(root, 'usr/lib/*/liblzma.a'));
  return archive === undefined ? undefined : { version, archive, headers: join(root, 'usr/include') };
}

/** Nothing of the system's own apt is touched. */
function fetchInto(root: string): void {
  const work = `${root}.new`;
  rmSync(work, { recursive: true, force: true });
  for (const part of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(work, part), { recursive: true });
  const sources = join(work, 'sources.list');
  writeFileSync(sources, `deb [signed-by=${keyring}] http://deb.debian.org/debian ${suite} main\n`);
  const apt = (...command: string[]) =>
    execFileSync('apt-get', [...aptOptions(work, sources), ...command], { cwd: work, stdio: 'pipe' });
  try {
    apt('update');
    apt('download', 'liblzma-dev');
    const [deb = ''] = globSync(join(work, '*.deb'));
    execFileSync('dpkg-deb', ['-x', deb, join(work, 'files')]);
    renameSync(join(work, 'files'), root);
  } catch (error) {
    console.warn(`the liblzma of Debian ${suite} cannot be had: ${String(error).split('\n')[0]}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

function aptOptions(work: string, sources: string): string[] {
  const settings = {
    'Dir::State::lists': join(work, 'lists'),
    'Dir::Cache': join(work, 'cache'),
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '/dev/null',
    'APT::Sandbox::User': 'root',
    'Acquire::http::Timeout': '20',
  };
  return ['-qq', ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])];
}

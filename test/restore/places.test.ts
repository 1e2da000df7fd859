import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hostPath, layOut, type Target, targetOf } from '../../src/restore/places.ts';
import { parseMountInfo } from '../../src/restore/plan/mounts.ts';

const target = (path: string, root = path.slice(1)): Target => ({ source: 's', root, path });

function places(targets: Target[], mounts: string[]) {
  const layout = layOut(targets, mounts);
  const shown = layout.places.map(({ directory, children }) => [
    directory,
    children === 'all' ? 'all' : [...children],
  ]);
  return { places: Object.fromEntries(shown), kept: [...layout.kept].sort() };
}

test('targets are exchanged in the directory they are in, together where they share it', () => {
  assert.equal(places([target('/etc/a'), target('/etc/b'), target('/top')], ['/', '/etc2', '/etc/ab']), {
    places: { '/etc': ['a', 'b'], '/': ['top'] },
    kept: [],
  });
});

test('a mount point and what leads to it stay, and all their children are exchanged', () => {
  assert.equal(places([target('/data'), target('/etc/a')], ['/', '/data/x/y', '/data/z', '/data-2']), {
    places: { '/data': 'all', '/data/x': 'all', '/data/x/y': 'all', '/data/z': 'all', '/etc': ['a'] },
    kept: ['/data', '/data/x', '/data/x/y', '/data/z'],
  });
  assert.equal(places([target('/data')], ['/data']), { places: { '/data': 'all' }, kept: ['/data'] });
});

test('what stays untouched has no place, nor what is mounted in it; what leads to it stays', () => {
  const untouched = ['/data/x/out', '/data/media'];
  const mounts = ['/data/x/out/deep', '/data/media', '/data/media/nested', '/data/z'];
  assert.equal(places([{ ...target('/data'), untouched }], mounts), {
    places: { '/data': 'all', '/data/x': 'all', '/data/z': 'all' },
    kept: ['/data', '/data/media', '/data/x', '/data/x/out', '/data/z'],
  });
});

test('a path of the tree has its place on the host', () => {
  const volume = target('/var/lib/docker/volumes/v/_data', '.');
  assert.is(hostPath(volume, '.'), '/var/lib/docker/volumes/v/_data');
  assert.is(hostPath(volume, 'a/b'), '/var/lib/docker/volumes/v/_data/a/b');
  const moved = target('/mnt/disk/www', 'var/www');
  assert.is(hostPath(moved, 'var/www'), '/mnt/disk/www');
  assert.is(hostPath(moved, 'var/www/a'), '/mnt/disk/www/a');
  assert.is(targetOf([target('/var/www2'), moved], 'var/www/a'), moved);
  assert.is(targetOf([moved], 'var/www2/a'), undefined);
});

test('mount points with blanks and odd bytes are read exactly', () => {
  const text =
    '22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n30 22 0:25 / /mnt/a\\040b\\134\\011\xff rw shared:1 - tmpfs x rw\n';
  assert.equal(parseMountInfo(text), ['/', '/mnt/a b\\\t\xff']);
});

test.run();

/** Every odd archive that is known from the field, and the tests that read it and its damaged twin. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const reading = 'test/archive/reading.test.ts';
const erasLoaded = 'test/releases/load/era-cases.ts';
const compressions = 'test/releases/load/compression-cases.ts';
const failures = 'test/releases/load/failure-cases.ts';
const choices = 'test/releases/load/choice-cases.ts';
const disasters = 'test/releases/load/disaster-cases.ts';
const command = 'test/cli/commands/images/images.test.ts';
const eras = [
  [reading, '${era}: images, names, platforms and layers are read, however the bytes arrive'],
  [reading, '${era}: an archive that lacks any of its layers shows it, however the bytes arrive'],
  [erasLoaded, '${era}: loaded from a file and from a pipe, checked and catalogued'],
  [erasLoaded, '${era}: one flipped bit in any layer, config or manifest keeps all of it out'],
] as const;
const codecs = [
  [compressions, '${name}: loaded, from a file and from a pipe, and refused when it is cut'],
] as const;

const cases: Record<string, readonly (readonly [file: string, title: string])[]> = {
  'every era of docker save, podman, skopeo': eras,
  'archives without digests (up to 1.9)': [
    [command, 'of an archive without digests nothing is called whole that could not be verified'],
    [
      'test/archive/tar/check.test.ts',
      'a flipped bit in any header is found, and so is an end that comes too early',
    ],
  ],
  'nested index and attestations (containerd store)': eras,
  'wrong extension': codecs,
  'an lrz file': [[command, 'an lrz file, whatever its name, exits 2 with the command that converts it']],
  'empty file': [[reading, 'an empty file, and one that is no archive, are damaged']],
  'standard input': [
    [command, 'load reads standard input and files, and list knows the releases afterwards'],
  ],
  FIFO: [
    ['test/archive/input.test.ts', 'a FIFO is read once somebody writes into it'],
    [
      'test/archive/input.test.ts',
      'who waits for a FIFO that nobody writes into, or for a silent pipe, can be interrupted',
    ],
  ],
  'concatenated gzip members, xz streams with padding, zstd skippable frames': codecs,
  'a tar cut at an entry boundary': [
    [failures, 'a plain tar that is cut at any entry is refused, and the engine is as before'],
  ],
  'compressed archive of compressed layers': [
    [
      compressions,
      'a compressed archive of compressed layers: loaded, and refused when a layer in it is damaged',
    ],
  ],
  'layers in a compression that the engine does not know': [
    [
      compressions,
      'layers that are compressed with ${name}: loaded, from a file and from a pipe, and refused when damaged',
    ],
  ],
  'decompression bomb': [
    [failures, 'what would expand beyond the disk is refused as soon as that shows'],
    [disasters, 'an engine whose disk is too small is found out before a byte is sent, or keeps nothing'],
  ],
  './ before names, absolute names': [
    [reading, 'names with ./ before them, absolute ones, and doubled slashes are the same files'],
  ],
  '..': [[reading, 'an entry that climbs out of the archive is refused']],
  'duplicate names': [[reading, 'of a name that occurs twice the later file counts']],
  'PAX headers, global ones, long names': [
    [reading, 'PAX headers, global ones and long names are understood'],
    [reading, 'a global PAX header counts for all entries behind it, and names nothing by itself'],
  ],
  'sizes over 8 GiB': [[reading, 'a size of more than 8 GiB is read, and known to be missing']],
  'manifest.json before or after the blobs': [[reading, 'manifest.json may stand before the blobs']],
  'symlinked and hardlinked layers, cycles, escapes': [
    [reading, 'a hard link is meant from the root of the archive'],
    [reading, 'a layer path or link that leaves the archive, or turns in a circle, is refused'],
    [reading, 'an absolute link and a file through it reach nothing outside'],
  ],
  'devices and FIFOs as entries': [[reading, 'a ${type} is refused']],
  'huge JSON': [[reading, 'JSON that is too long, or none at all, is refused']],
  'manifest.json null or []': [[reading, 'manifest.json that is null is an error, an empty list is not']],
  'RepoTags missing or null': [[reading, 'RepoTags may be missing or null']],
  'layer count and diff ids differ': [[reading, 'more layers than diff ids, or fewer, are refused']],
  'one diff id twice': eras,
  'a zero-byte layer': [
    [reading, '${era}: a layer without a byte, and one that is an empty tar, are layers'],
    [erasLoaded, 'a layer without a byte, and one that is an empty tar: loaded, from a file and from a pipe'],
  ],
  'a config whose digest is not its name': [[reading, 'a config whose digest is not its name is refused']],
  'index.json and manifest.json disagree': [
    [reading, 'documents that disagree on which images there are are refused'],
    [
      reading,
      'manifests without layers, as Docker 25.0.0 wrote them beside a good manifest.json, do not matter',
    ],
  ],
  'unreferenced blobs': [[reading, 'blobs that nothing refers to are normal']],
  'indexes without end': [[reading, 'indexes that lead to each other without end are refused']],
  'docker export': [[reading, 'the file system of a container is told from an image']],
  'another platform': [
    [choices, 'of an image for several platforms the one for this host is loaded'],
    [choices, 'an image for another platform only is refused'],
  ],
  'a flipped byte anywhere': [
    [
      disasters,
      'a flipped byte in any entry, its header included, is damage, or changes nothing that is loaded',
    ],
    ['test/archive/volumes/set.test.ts', 'a flipped byte anywhere in a volume is found'],
    ['test/archive/index/index-cache.test.ts', 'what is damaged in the cache is as if it were missing'],
  ],
  'random mutations': [
    [
      'test/archive/fuzz.test.ts',
      '600 mutated archives, volumes and indexes are read or refused, none crashes or hangs',
    ],
  ],
};

for (const [name, tests] of Object.entries(cases)) {
  test(`${name}: its tests are there`, () => {
    for (const [file, title] of tests) {
      const text = readFileSync(file, 'utf8');
      assert.ok(text.includes(`'${title}'`) || text.includes(`\`${title}\``), `${file}: ${title}`);
    }
  });
}

test.run();

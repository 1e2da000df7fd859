import { mkdirSync, realpathSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { errorOfText, readText } from '../support/deployment.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

function withBackup(settings: string): string {
  const lines = settings.split('\n').map((line) => `    ${line}`);
  return `name: shop
x-dockerctl:
  backup:
    repository: /var/backup/shop
${lines.join('\n')}
services:
  db: {image: postgres}
volumes:
  uploads:
  same: {name: shop_uploads}
`;
}

const recipient = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';

test('every setting of backups is read', async () => {
  const { backup } = await readText(
    withBackup(`recipients: [${recipient}]
min-free: 10GiB
keep: {last: 3, hourly: 4, daily: 7, weekly: 4, monthly: 6, yearly: 1, within: 30d, tags: [release]}
refuse-while:
  - {name: deploying, service: db, run: [fuel, task], matches: "running|pending", timeout: 10s}
  - {name: updating, run: [pgrep, yum], matches: .}
sources:
  etc: {title: Settings, paths: [/etc/puppet, etc], exclude: ["*.tmp"], one-file-system: true, exclude-caches: true}
  repos: {paths: [/var/www], full: true, include: ["*.rpm"]}
  uploads: {volume: uploads}
  database: {service: db, dump: postgres, user: admin, databases: [shop], timeout: 1h}
  custom: {run: [tool, dump], restore: [tool, load], service: db}
  images: {images: true}
inventories:
  nodes: {service: db, run: [fuel, node, --json], key: id, label: name, advice: reset it}
on-success: [[/usr/local/bin/report]]
on-failure: [[/usr/local/bin/alarm, --loud]]`),
  );
  assert.ok(backup);
  assert.equal(backup.recipients, [recipient]);
  assert.is(backup.minFree, 10 * 2 ** 30);
  assert.equal(backup.keep, {
    last: 3,
    hourly: 4,
    daily: 7,
    weekly: 4,
    monthly: 6,
    yearly: 1,
    within: { years: 0, months: 0, days: 30, hours: 0 },
    tags: ['release'],
  });
  assert.equal(backup.refuseWhile[0], {
    name: 'deploying',
    service: 'db',
    command: ['fuel', 'task'],
    matches: 'running|pending',
    timeout: 10,
  });
  assert.is(backup.refuseWhile[1]?.service, undefined);
  assert.equal(
    backup.sources.map(({ name, kind, full }) => [name, kind, full]),
    [
      ['etc', 'paths', false],
      ['repos', 'paths', true],
      ['uploads', 'volume', false],
      ['database', 'dump', false],
      ['custom', 'run', false],
      ['images', 'images', false],
    ],
  );
  const [etc] = backup.sources;
  assert.ok(
    etc?.kind === 'paths' && etc.paths[0] === '/etc/puppet' && /^\/.*\/etc$/.test(etc.paths[1] ?? ''),
  );
  assert.equal(etc.filter, { include: [], exclude: ['*.tmp'], oneFileSystem: true, excludeCaches: true });
  assert.equal(backup.hooks, {
    onSuccess: [['/usr/local/bin/report']],
    onFailure: [['/usr/local/bin/alarm', '--loud']],
  });
  assert.is(backup.inventories[0]?.label, 'name');
});

test('a deployment may have sources and no services', async () => {
  const { services, backup } = await readText(
    'name: host\nx-dockerctl: {backup: {repository: /b, sources: {etc: {paths: [/etc]}}}}\n',
  );
  assert.equal(services, []);
  assert.is(backup?.sources.length, 1);
});

for (const [name, sources, message] of [
  ['the same path', 'a: {paths: [/etc]}\n  b: {paths: [/etc/]}', '/etc overlaps with /etc of the source a'],
  ['a path inside another', 'a: {paths: [/etc]}\n  b: {paths: [/etc/puppet]}', 'overlaps'],
  ['a path around another', 'a: {paths: [/etc/puppet]}\n  b: {paths: [/]}', 'overlaps'],
  ['a path written in a roundabout way', 'a: {paths: [/etc]}\n  b: {paths: [/var/../etc/x]}', 'overlaps'],
  ['paths of one source', 'a: {paths: [/etc, /etc/x]}', 'of itself'],
  ['a volume', 'a: {volume: uploads}\n  b: {volume: uploads}', 'overlaps'],
  ['a volume under two keys', 'a: {volume: uploads}\n  b: {volume: same}', 'overlaps'],
  [
    'a dump',
    'a: {dump: postgres, service: db}\n  b: {dump: postgres, service: db, databases: [x]}',
    'overlaps',
  ],
  ['images', 'a: {images: true}\n  b: {images: true}', 'overlaps'],
  ['the repository', 'a: {paths: [/var/backup]}', 'a repository|overlaps'],
] as const) {
  test(`sources that overlap in ${name} are refused`, async () => {
    const error = await errorOfText(withBackup(`sources:\n  ${sources}`));
    assert.match(error.message, new RegExp(message));
    assert.match(String(error.facts.key), /^x-dockerctl\.backup\./);
  });
}

for (const [name, source, path] of [
  ['by its own path', '{paths: [/], exclude: [/var/backup/shop/]}', '/'],
  ['with a directory around it', '{paths: [/], exclude: [/var/backup]}', '/'],
  ['by a pattern', '{paths: [/var], exclude: ["back*/"]}', '/var'],
  ['last of several', '{paths: [/], exclude: [/var/*, "!/var/lib"]}', '/'],
] as const) {
  test(`a repository in a source that excludes it ${name} is allowed`, async () => {
    const { backup } = await readText(withBackup(`sources: {a: ${source}}`));
    assert.equal(backup?.sources[0]?.kind === 'paths' && backup.sources[0].paths, [path]);
  });
}

test('a pattern that is written as a path of the host is refused, for it would match nothing', async () => {
  const error = (source: string) => errorOfText(withBackup(`sources: {a: ${source}}`));
  for (const [source, key, advice] of [
    ['{paths: [/etc, /srv/a], exclude: ["*.tmp", /srv/a/b/]}', 'exclude[1]', 'write /b/'],
    ['{paths: [/srv/a], exclude: ["/srv/*", "!/srv/a/b"]}', 'exclude[1]', 'write !/b'],
    ['{paths: [/srv/a/], include: [/srv/a/*.conf]}', 'include[0]', 'write /*.conf'],
    ['{paths: [/srv/a, /srv/b], exclude: [/srv/b]}', 'exclude[0]', 'Leave /srv/b out of paths'],
  ] as const) {
    const { message, advice: told, facts } = await error(source);
    assert.match(message, ' is looked for inside /srv/');
    assert.is(facts.key, `x-dockerctl.backup.sources.a.${key}`);
    assert.ok(told?.endsWith(advice), told);
  }
  for (const source of [
    '{paths: [/], exclude: [/var/backup/shop/, /srv/a]}',
    '{paths: [/srv], exclude: [srv/a, "/[s]rv", /srv2]}',
  ])
    assert.ok((await readText(withBackup(`sources: {a: ${source}}`))).backup, source);
});

for (const [name, source] of [
  ['for files only that are called so', '{paths: [/], exclude: [shop.txt]}'],
  ['for another path', '{paths: [/], exclude: [/backup/shop]}'],
  ['and takes it in again', '{paths: [/], exclude: [/var/backup/*, "!/var/backup/shop/"]}'],
  ['for what is in it', '{paths: [/], exclude: [/var/backup/shop/blobs]}'],
  ['but lies in it', '{paths: [/var/backup/shop/x], exclude: [/]}'],
  ['but is it', '{paths: [/var/backup/shop], exclude: ["*"]}'],
] as const) {
  test(`a repository in a source that excludes ${name} is refused`, async () => {
    const error = await errorOfText(withBackup(`sources: {a: ${source}}`));
    assert.match(error.message, '/var/backup/shop overlaps with ');
  });
}

test('the advice is the line that lets a repository be, wherever links lead and whatever it is called', async () => {
  const root = realpathSync(temporaryDirectory());
  const [data, odd] = [join(root, 'data'), 'sh*p [1] ü'];
  mkdirSync(join(data, odd), { recursive: true });
  symlinkSync(join(data, odd), join(root, 'elsewhere'));
  symlinkSync(root, join(root, 'round'));
  for (const [repository, path] of [
    [join(root, 'elsewhere'), data],
    [join(data, odd), join(root, 'round', 'data')],
    [join(root, 'elsewhere', 'not', 'yet'), '/'],
  ] as const) {
    const text = (more: string) =>
      `name: x\nx-dockerctl:\n  backup:\n    repository: ${JSON.stringify(repository)}\n    sources: {a: {paths: [${path}]${more}}}\n`;
    const { advice } = await errorOfText(text(''));
    const line = /exclude: \[.*\](?= in)/.exec(advice ?? '')?.[0];
    assert.ok((await readText(text(`, ${line}`))).backup, `${line}`);
  }
  const link = `{paths: [${join(root, 'elsewhere')}]}`;
  const { backup } = await readText(withBackup(`sources: {a: ${link}}`));
  assert.ok(backup, 'nothing follows a link that is named itself');
});

test('paths that only begin alike, and databases of one server, do not overlap', async () => {
  const { backup } = await readText(
    withBackup(`sources:
  a: {paths: [/etc]}
  b: {paths: [/etc-other]}
  c: {dump: postgres, service: db, databases: [x]}
  d: {dump: postgres, service: db, databases: [xy]}`),
  );
  assert.is(backup?.sources.length, 4);
});

for (const [settings, key, message] of [
  ['sources: {a: {volume: uplods}}', 'sources.a.volume', 'did you mean uploads?'],
  ['sources: {a: {dump: postgres, service: bd}}', 'sources.a.service', 'did you mean db?'],
  ['sources: {a: {dump: oracle, service: db}}', 'sources.a.dump', 'must be one of postgres'],
  ['sources: {a: {dump: sqlite, service: db}}', 'sources.a', 'must name the database files'],
  ['sources: {a: {dump: redis, service: db, user: x}}', 'sources.a.user', 'no meaning for redis'],
  ['sources: {a: {dump: redis}}', 'sources.a', 'must name the service that runs redis'],
  ['sources: {a: {dump: mysql, service: db, databases: [x]}}', 'sources.a.databases', 'restored as a whole'],
  ['sources: {a: {dump: sqlite, service: db, files: [x.db]}}', 'sources.a.files', 'absolute paths inside'],
  ['sources: {a: {run: [x]}}', 'sources.a.restore', 'is missing'],
  ['sources: {a: {run: tool dump}}', 'sources.a.run', 'must be a list: the program, then its arguments'],
  ['sources: {a: {run: []}}', 'sources.a.run', 'must name a program'],
  ['sources: {a: {}}', 'sources.a', 'must have one of the keys'],
  ['sources: {a: {paths: [/x], volume: uploads}}', 'sources.a', 'must have one of|is not known'],
  ['sources: {a/b: {paths: [/x]}}', 'sources.a/b', 'no name for a source'],
  ['sources: {a: {paths: []}}', 'sources.a.paths', 'must name a path'],
  ['sources: {}\nkeep: {dayly: 3}', 'keep.dayly', 'did you mean daily?'],
  ['sources: {}\nmin-free: lots', 'min-free', 'must be a size'],
  ['sources: {}\nrecipients: []', 'recipients', 'must name a recipient'],
  ['sources: {}\nrecipients: [AGE-SECRET-KEY-1X]', 'recipients[0]', 'must not be a private key'],
  ['sources: {}\nrecipients: [ssh-ed25519 AAAA me]', 'recipients[0]', 'not a key of SSH'],
  ['sources: {}\nrecipients: [/etc/recipients]', 'recipients[0]', 'must be an age recipient'],
  [
    `sources: {}\nrecipients: [${recipient.replace('y', 'z')}]`,
    'recipients[0]',
    'has a mistake: a character',
  ],
  ['sources: {}\nrecipients: [age1yubikey1qwt50d05]', 'recipients[0]', 'is of the kind age1yubikey'],
  [`sources: {}\nrecipients: [${recipient}, ${recipient}]`, 'recipients', `names ${recipient} twice`],
  [
    'sources: {}\nrefuse-while: [{name: a, run: [b], matches: "("}]',
    'refuse-while[0].matches',
    'regular expression',
  ],
  [
    'sources: {}\nrefuse-while: [{name: a, service: x, run: [b], matches: c}]',
    'refuse-while[0].service',
    'no service',
  ],
] as const) {
  test(`${settings} is refused`, async () => {
    const error = await errorOfText(withBackup(settings));
    assert.match(error.message, new RegExp(message.replace(/[?()[\]]/g, '\\$&')));
    assert.ok(String(error.facts.key).startsWith(`x-dockerctl.backup.${key}`), error.message);
  });
}

test('a list of what to save that names nothing is refused', async () => {
  for (const source of [
    '{service: db, dump: postgres, databases: []}',
    '{dump: sqlite, files: []}',
    '{paths: []}',
  ]) {
    assert.match((await errorOfText(withBackup(`sources: {a: ${source}}`))).message, /must name /);
  }
  assert.match(
    (await errorOfText(withBackup('sources: {}'))).message,
    /sources: must name something to back up$/,
  );
  const plain = 'x-dockerctl: {backup: {repository: /r, sources: {a: {images: true}}}}';
  assert.match(
    (await errorOfText(`name: host\n${plain}`)).message,
    /sources\.a: there is no service that has an image$/,
  );
});

test('a time that nothing can take, or that no clock of ours can count, is refused', async () => {
  for (const timeout of ['0s', '25d', '1y']) {
    const error = await errorOfText(
      withBackup(`sources: {a: {run: [ls], restore: [cat], timeout: ${timeout}}}`),
    );
    assert.match(error.message, /sources\.a\.timeout: must be more than 0s and at most 24d$/);
  }
});

test('a source or an inventory has a name that can be a directory and a word in a shell', async () => {
  for (const name of ['../etc', 'a/b', 'two words', '.hidden', '-rf', 'ä']) {
    const source = await errorOfText(withBackup(`sources: {"${name}": {paths: [/etc]}}`));
    assert.match(source.message, 'is no name for a source');
    const inventory = `{run: [x], key: id, advice: y}`;
    const error = await errorOfText(withBackup(`sources: {}\ninventories: {"${name}": ${inventory}}`));
    assert.match(error.message, 'is no name for an inventory');
  }
});

test.run();

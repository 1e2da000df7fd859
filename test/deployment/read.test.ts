import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readDeployment } from '../../src/deployment/read.ts';
import { NotFoundError, UsageError } from '../../src/support/errors.ts';
import { deploymentFile, errorOf, errorOfText, readText } from '../support/deployment.ts';

/** A service with these lines of settings. */
function withService(settings: string): string {
  const lines = settings.split('\n').map((line) => `    ${line}`);
  return ['name: shop', 'services:', '  web:', '    image: web', ...lines, ''].join('\n');
}

async function container(settings: string, options = {}) {
  const deployment = await readText(withService(settings), options);
  return deployment.services[0]?.container;
}

test('every supported key of a service arrives in its container', async () => {
  const spec = await container(readFileSync('test/deployment/every-key.yaml', 'utf8').trimEnd(), {
    others: { 'web.env': 'FROM_FILE=1\nBOTH=file\n' },
    environment: { PASSED: 'through' },
  });
  assert.equal(spec, JSON.parse(readFileSync('test/deployment/every-key.json', 'utf8')));
});

test('maps and lists, short and long syntax mean the same', async () => {
  const pairs = [
    ['environment: {A: "1", B: "2"}', 'environment: [A=1, B=2]'],
    ['command: nginx -g "daemon off;"', 'command: [nginx, -g, daemon off;]'],
    ['ports: ["127.0.0.1:8080:80"]', 'ports: [{target: 80, published: "8080", host_ip: 127.0.0.1}]'],
    ['extra_hosts: ["db:10.0.0.1"]', 'extra_hosts: {db: 10.0.0.1}'],
    ['tmpfs: /run', 'volumes: [{type: tmpfs, target: /run}]'],
    ['dns: 10.0.0.1', 'dns: [10.0.0.1]'],
    ['sysctls: [net.core.somaxconn=1024]', 'sysctls: {net.core.somaxconn: 1024}'],
    ['restart: no', 'restart: false'],
    ['networks: [default]', 'networks: {default: {}}'],
    ['devices: ["/dev/a:/dev/b:r"]', 'devices: [{source: /dev/a, target: /dev/b, permissions: r}]'],
    ['volumes: [/a]', 'volumes: [{type: volume, target: /a, volume: {}}]'],
  ];
  for (const [one = '', other = ''] of pairs) assert.equal(await container(one), await container(other), one);
});

/** What `docker compose config` (2.26) printed for every-key.yaml. */
test('what Compose makes of a file means the same as the file', async () => {
  const written = readFileSync('test/deployment/every-key.compose.yaml', 'utf8');
  const { services } = await readText(written);
  assert.equal(services[0]?.container, JSON.parse(readFileSync('test/deployment/every-key.json', 'utf8')));
});

test('a variable becomes a number, a truth value or a size where one is wanted', async () => {
  const environment = { FLAG: 'true', PORT: '8080', SIZE: '64m' };
  const spec = await container('privileged: ${FLAG}\nports: ["${PORT}:80"]\nmem_limit: ${SIZE}', {
    environment,
  });
  assert.is(spec?.privileged, true);
  assert.is(spec?.ports?.[0]?.host, 8080);
  assert.is(spec?.memory, 64 * 2 ** 20);
});

test('the .env file beside the deployment file gives variables, the environment goes first', async () => {
  const others = { '.env': 'TAG=file\nOTHER=2\n' };
  const spec = (environment: Record<string, string>) =>
    container('environment: {A: "${TAG}-${OTHER}"}', { others, environment });
  assert.is((await spec({}))?.environment?.A, 'file-2');
  assert.is((await spec({ TAG: 'shell' }))?.environment?.A, 'shell-2');
});

test('anchors, merge keys and extension fields work', async () => {
  const { services } = await readText(`
name: shop
x-common: &common
  image: base
  restart: always
  x-note: for us
x-more: &more {image: other, user: "1000"}
services:
  a:
    <<: *common
    hostname: a
    x-own: {anything: true}
  b:
    <<: [*common, *more]
    restart: "no"
`);
  const [a, b] = services;
  assert.is(a?.image, 'base');
  assert.equal(a?.container.restart, { name: 'always' });
  assert.is(b?.image, 'base');
  assert.is(b?.container.user, '1000');
  assert.equal(b?.container.restart, { name: 'no' });
});

test('host paths are absolute: relative to the file, ~ to the home directory', async () => {
  const file = deploymentFile(
    withService('volumes: [./data:/a, ../up:/b, "~/h:/c", {type: bind, source: sub, target: /d}]'),
  );
  const { services } = await readDeployment(file, { environment: { HOME: '/home/op' } });
  const home = dirname(file);
  assert.equal(
    services[0]?.container.mounts?.map(({ source }) => source),
    [`${home}/data`, `${dirname(home)}/up`, '/home/op/h', `${home}/sub`],
  );
});

test('~ is the home directory where the environment does not tell it, as that of a systemd service', async () => {
  const { services } = await readText(withService('volumes: ["~/h:/c"]'), { environment: {} });
  assert.equal(
    services[0]?.container.mounts?.map(({ source }) => source),
    [join(userInfo().homedir, 'h')],
  );
});

test('services start behind what they depend on, storage first, else in the order of the file', async () => {
  const { services } = await readText(`
name: shop
services:
  web: {image: x, depends_on: [app]}
  other: {image: x}
  app: {image: x, depends_on: {db: {condition: service_healthy}}, volumes_from: ["data:ro"]}
  db: {image: x}
  sidecar: {image: x, network_mode: "service:late"}
  late: {image: x}
  data: {image: x, x-dockerctl: {storage: true}}
`);
  assert.equal(
    services.map(({ name }) => name),
    ['data', 'db', 'app', 'web', 'other', 'late', 'sidecar'],
  );
  const app = services.find(({ name }) => name === 'app');
  assert.equal(app?.dependsOn, [
    { service: 'db', condition: 'ready' },
    { service: 'data', condition: 'completed' },
  ]);
  assert.equal(app?.container.volumesFrom, ['service:data:ro']);
});

test('a cycle is an error that shows it', async () => {
  const error = await errorOfText(`
name: shop
services:
  x: {image: x, depends_on: [a]}
  a: {image: x, depends_on: [b]}
  b: {image: x, network_mode: "service:c"}
  c: {image: x, volumes_from: [a]}
`);
  assert.match(error.message, 'a → b → c → a');
  assert.equal([error.facts.line, error.facts.key], [5, 'services.a.depends_on']);
});

test('a health check becomes a readiness check, with its patience', async () => {
  const { services } = await readText(
    withService(
      'healthcheck: {test: pg_isready -q, interval: 2s, timeout: 3s, retries: 5, start_period: 10s}',
    ),
  );
  assert.equal(services[0]?.ready, [{ kind: 'run', command: ['/bin/sh', '-c', 'pg_isready -q'] }]);
  assert.equal(services[0]?.readyRetry, { interval: 2, attempt: 3, timeout: 20 });
});

/** What is wrong, in which line, at which key, in which words. */
const mistakes: [name: string, settings: string, line: number, key: string, message: string | RegExp][] = [
  ['an unknown key', 'imag: x', 5, 'services.web.imag', 'did you mean image?'],
  ['a key like no other', 'qqqqqqqq: x', 5, 'services.web.qqqqqqqq', 'allowed: image, command'],
  ['build', 'build: .', 5, 'services.web.build', 'not supported: images arrive as archives'],
  ['profiles', 'profiles: [dev]', 5, 'services.web.profiles', 'not supported'],
  ['a wrong type', 'command:\n  a: b', 5, 'services.web.command', 'must be text or a list'],
  ['a wrong item', 'cap_add:\n  - A\n  - {}', 7, 'services.web.cap_add[1]', 'must be text'],
  ['a wrong number', 'ports:\n  - 8080:80\n  - 99999', 7, 'services.web.ports[1]', 'must be a port such as'],
  [
    'a wrong key in long syntax',
    'ports:\n  - {target: 80, publish: 1}',
    6,
    'services.web.ports[0].publish',
    'published?',
  ],
  [
    'a wrong mount type',
    'volumes: [{type: npipe, target: /a}]',
    5,
    'services.web.volumes[0].type',
    'bind, volume or tmpfs',
  ],
  ['a mount mode', 'volumes: ["/a:/b:z"]', 5, 'services.web.volumes[0]', 'ro and rw are supported'],
  ['an undeclared volume', 'volumes: ["data:/b"]', 5, 'services.web.volumes[0]', 'there is no volume "data"'],
  [
    'an undeclared network',
    'networks: [back]',
    5,
    'services.web.networks.back',
    'there is no network "back"',
  ],
  ['two kinds of network', 'network_mode: host\nnetworks: [a]', 6, 'services.web.networks', 'no meaning'],
  ['ports without a network', 'network_mode: host\nports: [80]', 6, 'services.web.ports', 'no meaning'],
  ['an unknown dependency', 'depends_on: [wbe]', 5, 'services.web.depends_on', 'did you mean web?'],
  [
    'a wrong condition',
    'depends_on: {web: {condition: service_health}}',
    5,
    'services.web.depends_on.web.condition',
    'service_healthy?',
  ],
  ['a restart policy', 'restart: sometimes', 5, 'services.web.restart', 'must be no, always'],
  ['a missing env_file', 'env_file: none.env', 5, 'services.web.env_file', 'there is no file none.env'],
  [
    'a label of ours',
    'labels: {io.dockerctl.release: x}',
    5,
    'services.web.labels.io.dockerctl.release',
    "dockerctl's own",
  ],
  [
    'a setting of ours',
    'x-dockerctl:\n  redy: []',
    6,
    'services.web.x-dockerctl.redy',
    'did you mean ready?',
  ],
  [
    'a shell line as check',
    'x-dockerctl: {ready: [{run: pg_isready}]}',
    5,
    'services.web.x-dockerctl.ready[0].run',
    'must be a list',
  ],
  [
    'two checks in one',
    'x-dockerctl: {ready: [{run: [a], tcp: "a:1"}]}',
    5,
    'services.web.x-dockerctl.ready[0]',
    'must be one of',
  ],
  [
    'a hook before the container',
    'x-dockerctl: {hooks: {pre-start: [{container: [a]}]}}',
    5,
    'services.web.x-dockerctl.hooks.pre-start',
    'does not run',
  ],
  [
    'a hook after the container',
    'x-dockerctl: {hooks: {post-stop: [{container: [a]}]}}',
    5,
    'services.web.x-dockerctl.hooks.post-stop',
    'does not run',
  ],
  [
    'a health check without a test',
    'healthcheck: {retries: 3}',
    5,
    'services.web.healthcheck',
    'must have a test',
  ],
  ['an empty value', 'hostname:', 5, 'services.web.hostname', 'must be text'],
  ['an unset variable', 'hostname: ${NOBODY}', 5, 'services.web.hostname', 'the variable NOBODY is not set'],
  ['a required variable', 'hostname: ${NOBODY:?name the host}', 5, 'services.web.hostname', 'name the host'],
];

for (const [name, settings, line, key, message] of mistakes) {
  test(`${name} is refused with file, line and key`, async () => {
    const error = await errorOfText(withService(settings));
    assert.instance(error, UsageError);
    assert.equal([error.facts.line, error.facts.key], [line, key], error.message);
    assert.ok(error.message.startsWith(`${error.facts.file}:${line}: ${key}: `), error.message);
    assert.match(error.message, message);
    assert.not.match(error.message, '\n');
  });
}

for (const [name, text, line, message] of [
  ['an empty file', '', 1, 'must be a map'],
  ['a list', '- a\n', 1, 'must be a map'],
  ['broken YAML', 'name: shop\nservices: {web: [}\n', 2, 'no valid YAML'],
  ['a key twice', 'name: shop\nname: shop\n', 2, 'no valid YAML'],
  ['two documents', 'name: shop\n---\nname: shop\n', 2, 'a second document'],
  ['no name', 'services: {}\n', 1, 'is missing'],
  ['a name with capitals', 'name: Shop\n', 1, 'small letters'],
  ['an unknown section', 'name: shop\nvolume: {}\n', 2, 'did you mean volumes?'],
  ['an unknown anchor', 'name: shop\nservices:\n  a: *b\n', 3, 'b'],
  ['an alias inside of what it names', 'name: shop\nx-a: &a\n  b: *a\n', 3, 'stands inside of what it names'],
  ['a service called all', 'name: shop\nservices:\n  all: {image: x}\n', 3, 'several services'],
] as const) {
  test(`${name} is refused with file and line`, async () => {
    const error = await errorOfText(text);
    assert.instance(error, UsageError);
    assert.is(error.facts.line, line, error.message);
    assert.match(error.message, message);
  });
}

test('aliases that unfold without end are refused', async () => {
  const levels = Array.from({ length: 12 }, (_, level) => {
    const items =
      level === 0
        ? 'x'
        : Array(8)
            .fill(`*l${level - 1}`)
            .join(', ');
    return `x-${level}: &l${level} [${items}]`;
  });
  assert.match((await errorOfText(`name: shop\n${levels.join('\n')}\n`)).message, 'unfold to too much');
});

test('several mistakes are told at once: the first in words, the others by their lines', async () => {
  const error = await errorOfText(withService('imag: x\ntty: 3\nhostnam: y'));
  assert.match(error.message, 'imag');
  assert.is(error.advice, 'there is more to mend in line 6, 7');
});

test('a secret value never appears in a message', async () => {
  const error = await errorOfText(withService('environment:\n  PASSWORD: [hunter2]\n  OTHER: pa$!hunter2'));
  assert.not.match(`${error.message} ${error.advice}`, 'hunter2');
});

test('a file that does not exist is a NotFoundError', async () => {
  assert.instance(await errorOf(readDeployment('/nonexistent/x.yaml', { environment: {} })), NotFoundError);
});

test.run();

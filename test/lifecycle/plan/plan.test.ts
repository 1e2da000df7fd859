import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Deployment } from '../../../src/deployment/deployment.ts';
import { containerName } from '../../../src/deployment/names.ts';
import type { HostState, ServiceState } from '../../../src/lifecycle/host-state.ts';
import { describeStep, type Plan } from '../../../src/lifecycle/plan/plan.ts';
import { planStart } from '../../../src/lifecycle/plan/start.ts';
import { planDestroy, planRestart, planRevert, planStop } from '../../../src/lifecycle/plan/stop.ts';
import { selectServices } from '../../../src/lifecycle/select.ts';
import { ContainerStateError, FailedError, NotFoundError, UsageError } from '../../../src/support/errors.ts';
import { readText } from '../../support/deployment.ts';

const shop = await readText(`
name: shop
x-dockerctl: {release: "1.4"}
services:
  web: {image: nginx, depends_on: [app], networks: [front]}
  app:
    image: app
    depends_on: [db]
    volumes_from: [data]
    networks: [front, back]
    x-dockerctl: {hooks: {pre-start: [{host: [a]}], post-start: [{host: [b]}], pre-stop: [{host: [c]}], post-stop: [{host: [d]}]}}
  db: {image: db, volumes: ["rows:/rows"], networks: [back]}
  data: {image: box, network_mode: none, x-dockerctl: {storage: true}}
volumes:
  rows:
  outside: {external: true}
networks:
  front:
  back:
`);

/** A host on which everything runs, but for what is said. */
function hostWith(
  states: Partial<Record<string, Partial<ServiceState>>> = {},
  rest: Partial<HostState> = {},
  deployment: Deployment = shop,
): HostState {
  const services = deployment.services.map((service): [string, ServiceState] => [
    service.name,
    {
      service,
      container: containerName(deployment, service),
      state: service.storage ? 'exited' : 'running',
      completes: service.storage,
      exitCode: service.storage ? 0 : undefined,
      outdated: undefined,
      otherReleases: [],
      ...states[service.name],
    },
  ]);
  return {
    services: new Map(services),
    images: new Set(['nginx', 'app', 'db', 'box']),
    movedTags: [],
    volumes: new Set(['shop_rows']),
    networks: new Set(['shop_front', 'shop_back']),
    archives: [],
    ...rest,
  };
}

const missing = { state: 'missing', exitCode: undefined } as const;
const nothing = hostWith(
  { web: missing, app: missing, db: missing, data: missing },
  { volumes: new Set(), networks: new Set() },
);

function select(...names: string[]) {
  return selectServices(shop, names);
}

function lines({ steps }: Plan): string[] {
  return steps.map((step) => describeStep(step).replaceAll('shop-1.4-', ''));
}

test('in the place of a container that is being removed a new one is created', () => {
  const { steps } = planStart(shop, hostWith({ db: { state: 'removing' } }), selectServices(shop, ['db']));
  assert.equal(
    steps.map(({ do: what }) => what),
    ['create', 'start', 'wait-ready'],
  );
});

test('building from nothing makes networks and volumes, then storage, then services in order, each ready', () => {
  assert.equal(lines(planStart(shop, nothing, select('all'))), [
    'create volume shop_rows',
    'create network shop_front',
    'create network shop_back',
    'create data from box',
    'run data to its end',
    'create db from db',
    'start db',
    'wait until db is ready',
    'create app from app',
    'run the pre-start hooks of app',
    'start app',
    'wait until app is ready',
    'run the post-start hooks of app',
    'create web from nginx',
    'start web',
    'wait until web is ready',
  ]);
});

test('storage, services and all select what they say, in order and once', () => {
  assert.equal(
    select('storage').map(({ name }) => name),
    ['data'],
  );
  assert.equal(
    select('services').map(({ name }) => name),
    ['db', 'app', 'web'],
  );
  assert.equal(
    select('web', 'all', 'db').map(({ name }) => name),
    ['data', 'db', 'app', 'web'],
  );
});

test('an unknown service is told from what there is, and no name at all is a usage error', () => {
  assert.throws(
    () => select('wbe'),
    (error: unknown) => error instanceof NotFoundError && /did you mean web/.test(error.message),
  );
  assert.throws(
    () => select(),
    (error: unknown) => error instanceof UsageError,
  );
});

test('a part of a name selects nothing', () => {
  for (const name of ['we', 'ap', 'web2', 'my-web', 'WEB', '']) {
    assert.throws(
      () => select(name),
      (error: unknown) => error instanceof NotFoundError,
    );
  }
});

test('what runs is left alone, and looked at again only when that is asked', () => {
  assert.equal(lines(planStart(shop, hostWith(), select('all'))), []);
  assert.equal(lines(planStart(shop, hostWith(), select('web'), { checkRunning: true })), [
    'wait until web is ready',
  ]);
});

test('what is stopped is started, and what it depends on comes first', () => {
  const state = hostWith({ web: { state: 'exited' }, db: { state: 'created' } });
  assert.equal(lines(planStart(shop, state, select('web'))), [
    'start db',
    'wait until db is ready',
    'start web',
    'wait until web is ready',
  ]);
});

test('storage that failed or never ran is run again', () => {
  for (const data of [{ exitCode: 1 }, { state: 'created' as const, exitCode: undefined }]) {
    assert.equal(lines(planStart(shop, hostWith({ data }), select('data'))), ['run data to its end']);
  }
});

test('creating makes the container and those it shares volumes with, and starts nothing', () => {
  assert.equal(lines(planStart(shop, nothing, select('app'), { createOnly: true })), [
    'create network shop_front',
    'create network shop_back',
    'create data from box',
    'create app from app',
  ]);
});

test('missing images are loaded when archives are at hand, else that is the error', () => {
  const without = hostWith({ web: missing, app: missing }, { images: new Set(['db', 'box']) });
  const archives = ['/srv/a.tar.xz'];
  const plan = planStart(shop, { ...without, archives }, select('web'), { loadImages: true });
  assert.is(lines(plan)[0], 'load app, nginx from /srv/a.tar.xz');
  for (const options of [{ loadImages: true }, {}]) {
    assert.throws(
      () => planStart(shop, without, select('web'), options),
      (error: unknown) => error instanceof NotFoundError && /no image app and 1 more/.test(error.message),
    );
  }
  assert.throws(
    () => planStart(shop, { ...without, archives }, select('web')),
    (error: unknown) => error instanceof NotFoundError && /dockerctl build/.test(error.advice ?? ''),
  );
});

test("an image is no one's concern while its container exists", () => {
  const state = hostWith({ web: { state: 'exited' } }, { images: new Set() });
  assert.equal(lines(planStart(shop, state, select('web'))), ['start web', 'wait until web is ready']);
});

test('a service whose older release runs is not started beside it', () => {
  const older = { container: 'shop-1.3-db', release: '1.3', image: 'db', running: true };
  const state = hostWith({ db: { ...missing, otherReleases: [older] }, web: missing });
  assert.throws(
    () => planStart(shop, state, select('web')),
    (error: unknown) =>
      error instanceof FailedError &&
      /shop-1\.3-db/.test(error.message) &&
      /-V 1\.3 stop db/.test(error.advice ?? ''),
  );
  const stopped = hostWith({ db: { ...missing, otherReleases: [{ ...older, running: false }] } });
  assert.is(lines(planStart(shop, stopped, select('db')))[0], 'create db from db');
});

test('a name that somebody else took, and a paused container, are refused', () => {
  assert.throws(
    () => planStart(shop, hostWith({ db: { state: 'foreign' } }), select('db')),
    (error: unknown) => error instanceof FailedError && /did not make/.test(error.message),
  );
  assert.throws(
    () => planStart(shop, hostWith({ db: { state: 'paused' } }), select('web')),
    (error: unknown) => error instanceof ContainerStateError && /is paused/.test(error.message),
  );
});

test('an external volume that is not there is an error, and never created', async () => {
  const other = await readText(
    'name: o\nservices: {a: {image: db, volumes: ["v:/v"]}}\nvolumes: {v: {external: true}}\n',
  );
  const state = hostWith({ a: missing }, { volumes: new Set() }, other);
  assert.throws(
    () => planStart(other, state, other.services),
    (error: unknown) => error instanceof NotFoundError && /no volume v, which/.test(error.message),
  );
});

test('a container that would be made differently now is left alone, with a warning', () => {
  const { steps, warnings } = planStart(shop, hostWith({ web: { outdated: 'settings' } }), select('web'));
  assert.equal(steps, []);
  assert.match(warnings[0] ?? '', 'dockerctl revert web');
});

test('stopping goes backwards, with hooks, and leaves alone what does not run', () => {
  const state = hostWith({ db: { state: 'exited' } });
  assert.equal(lines(planStop(state, select('all'))), [
    'stop web',
    'run the pre-stop hooks of app',
    'stop app',
    'run the post-stop hooks of app',
  ]);
});

test('stopping one service leaves those that depend on it running', () => {
  assert.equal(lines(planStop(hostWith(), select('db'))), ['stop db']);
});

test('what is paused or restarting is stopped too, without hooks inside it', () => {
  const state = hostWith({ app: { state: 'paused' } });
  assert.equal(lines(planStop(state, select('app'))), ['stop app', 'run the post-stop hooks of app']);
});

test('restarting stops, then starts again', () => {
  assert.equal(lines(planRestart(shop, hostWith(), select('db', 'web'))), [
    'stop web',
    'stop db',
    'start db',
    'wait until db is ready',
    'start web',
    'wait until web is ready',
  ]);
});

test('destroying one service removes its container only', () => {
  assert.equal(lines(planDestroy(shop, hostWith(), select('web'))), [
    'stop web',
    'remove web and its anonymous volumes',
  ]);
});

test('destroying all removes networks at last, and no named volume ever', () => {
  const plan = lines(planDestroy(shop, hostWith(), select('all')));
  assert.equal(plan.slice(-5), [
    'stop db',
    'remove db and its anonymous volumes',
    'remove data and its anonymous volumes',
    'remove network shop_front',
    'remove network shop_back',
  ]);
  assert.not.ok(plan.some((line) => line.includes('volume shop_rows')));
});

test('networks stay while another release still has containers on them', () => {
  const older = { container: 'shop-1.3-db', release: '1.3', image: 'db', running: true };
  const plan = planDestroy(shop, hostWith({ db: { otherReleases: [older] } }), select('all'));
  assert.not.ok(lines(plan).some((line) => line.startsWith('remove network')));
  assert.match(plan.warnings.join(), 'dockerctl -V 1.3 stop db');
});

test('reverting makes a container anew from its image', () => {
  assert.equal(lines(planRevert(shop, hostWith(), select('web'))), [
    'stop web',
    'remove web and its anonymous volumes',
    'create web from nginx',
    'start web',
    'wait until web is ready',
  ]);
});

test('reverting without the image is refused before anything is destroyed', () => {
  const state = hostWith({}, { images: new Set() });
  assert.throws(
    () => planRevert(shop, state, select('web')),
    (error: unknown) => error instanceof NotFoundError,
  );
});

test.run();

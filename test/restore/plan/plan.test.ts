import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Snapshot, SourceSummary } from '../../../src/repository/snapshot/snapshot.ts';
import { planRestore, type Survey } from '../../../src/restore/plan/plan.ts';
import { type SelectedSource, selectSources } from '../../../src/restore/plan/select.ts';
import type { ServiceState } from '../../../src/restore/services/services.ts';
import { DamagedError, UsageError } from '../../../src/support/errors.ts';

const now = new Date('2026-01-02T03:04:05Z');

function source(name: string, rest: Partial<SourceSummary> = {}): SourceSummary {
  const counts = { files: 1, bytes: 10, newBytes: 10, warnings: [], complete: true };
  return {
    name,
    title: name,
    kind: 'paths',
    started: now,
    ended: now,
    origin: { paths: [`/srv/${name}`] },
    ...counts,
    ...rest,
  };
}

function snapshot(sources: SourceSummary[], rest: Partial<Snapshot> = {}): Snapshot {
  const facts = { id: 'sha256:5', started: now, ended: now, host: 'h', deployment: 'd', complete: true };
  return {
    release: '1',
    predecessor: undefined,
    added: { bytes: 0, blobs: 0 },
    sources,
    ...facts,
    ...rest,
  } as Snapshot;
}

function service(name: string, rest: Partial<ServiceState> = {}): ServiceState {
  const image = { image: 'i', imageAt: 'engine' as const };
  return { name, state: 'running', storage: false, dependsOn: [], mounts: [], ...image, ...rest };
}

const mounting = (...paths: string[]) => paths.map((path) => ({ source: path, target: '/x' }));

function plan(sources: SourceSummary[], survey: Partial<Survey>, rest: Partial<Snapshot> = {}) {
  const taken = snapshot(sources, rest);
  const { selected } = selectSources(taken, { only: [], full: true, to: undefined }, []);
  const targets = selected.flatMap(({ summary, paths = [] }) =>
    paths.map((path) => ({ source: summary.name, path, where: path, exists: true })),
  );
  const whole: Survey = {
    release: '1',
    services: [],
    strangers: [],
    targets,
    partial: false,
    space: [],
    ...survey,
  };
  return planRestore(taken, selected as SelectedSource[], [], whole);
}

const database = source('db', { kind: 'dump', origin: { engine: 'postgres', service: 'pg' } });

test('a service stops when it mounts a target, something in it, or something above it', () => {
  const services = [
    service('same', { mounts: mounting('/srv/a') }),
    service('inside', { mounts: mounting('/srv/a/b/c') }),
    service('above', { mounts: mounting('/srv') }),
    service('all', { mounts: mounting('/') }),
    service('sibling', { mounts: mounting('/srv/ab', '/srv/b') }),
    service('none'),
  ];
  assert.equal(plan([source('a')], { services }).stop, ['all', 'above', 'inside', 'same']);
});

test('of several targets one is enough, and what a service needs is started through any number of others', () => {
  const services = [
    service('first', { state: 'stopped' }),
    service('second', { state: 'stopped', dependsOn: ['first'] }),
    service('third', { mounts: mounting('/srv/b'), dependsOn: ['second'] }),
    service('other', { mounts: mounting('/srv/c') }),
  ];
  const { stop, start } = plan([source('a'), source('b')], { services });
  assert.equal(stop, ['third']);
  assert.equal(start, ['first', 'second', 'third']);
});

test('a path that does not begin at the root of its host is damage, whatever comes before it', () => {
  for (const paths of [['/srv/a', 'etc/passwd'], ['srv'], 'srv']) {
    const taken = snapshot([source('a', { origin: { paths } })]);
    assert.throws(
      () => selectSources(taken, { only: [], full: true, to: undefined }, []),
      (error: Error) => error instanceof DamagedError,
    );
  }
});

test('a command that comes with a stranger is left out for that reason, and not as one that is lacking', () => {
  const taken = snapshot([source('accounts', { kind: 'run' }), source('files')]);
  const everything = { only: [], full: true, to: undefined };
  const reason = (hostCommands: boolean) =>
    selectSources(taken, { ...everything, hostCommands }, []).skipped[0]?.reason;
  assert.is(reason(true), 'the deployment file does not say which command brings it back');
  assert.is(reason(false), 'the command that brings it back is not run without --allow-hooks');
});

test('a server that is too old for a dump is told of', () => {
  const taken = snapshot([database]);
  const doubt = 'it is PostgreSQL 15.3, the backup is of the newer 17.2';
  const selected: SelectedSource[] = [
    { summary: database, database: { service: 'pg', engine: 'postgres', doubt } },
  ];
  const survey = { release: '1', services: [], strangers: [], targets: [], partial: true, space: [] };
  assert.equal(planRestore(taken, selected, [], survey).warnings, [`db: pg may refuse it: ${doubt}`]);
});

test('a database keeps running; what needs it stops, however far', () => {
  const services = [
    service('pg'),
    service('api', { dependsOn: ['pg'] }),
    service('web', { dependsOn: ['api'] }),
    service('down', { dependsOn: ['pg'], state: 'stopped' }),
    service('other'),
  ];
  const { stop, start, sources } = plan([database], { services });
  assert.equal(stop, ['web', 'api']);
  assert.equal(start, ['pg', 'api', 'web']);
  assert.equal(sources[0]?.targets, [{ where: 'postgres in pg', replaces: true }]);
});

test('on a bare machine everything starts, in order; with --only, what the database needs', () => {
  const services = ['data', 'pg', 'web', 'other'].map((name) => service(name, { state: 'missing' }));
  services[1]!.dependsOn = ['data'];
  services[2]!.dependsOn = ['pg'];
  assert.equal(plan([database], { services }).start, ['data', 'pg', 'web', 'other']);
  assert.equal(plan([database], { services, partial: true }).start, ['data', 'pg']);
});

test('what was stopped by hand stays stopped, unless something that starts needs it', () => {
  const services = [
    service('base', { state: 'stopped' }),
    service('app', { dependsOn: ['base'], mounts: mounting('/srv/a') }),
    service('off', { state: 'stopped', mounts: mounting('/srv/a') }),
  ];
  const { stop, start } = plan([source('a')], { services });
  assert.equal([stop, start], [['app'], ['base', 'app']]);
});

test('an incomplete source, another release and a foreign container are told', () => {
  const strangers = [
    { name: 'stray', mounts: mounting('/srv/a') },
    { name: 'far', mounts: mounting('/opt') },
  ];
  const { warnings } = plan([source('a', { complete: false, warnings: ['x: EIO'] })], {
    release: '2',
    strangers,
  });
  assert.is(warnings.length, 3);
  assert.match(warnings[0]!, /a: this backup of it is incomplete: x: EIO/);
  assert.match(warnings[1]!, /of release 1, here is 2/);
  assert.match(warnings[2]!, /container stray/);
});

test('of what is written to a directory it does not matter which release is here', () => {
  assert.equal(plan([source('a')], { release: undefined, beside: true }).warnings, []);
});

test('an origin that does not say what a source was made from is damage', () => {
  for (const origin of [{}, { paths: 'etc' }, { paths: ['relative'] }]) {
    assert.throws(
      () => plan([source('a', { origin } as Partial<SourceSummary>)], {}),
      (error: Error) => {
        return error instanceof DamagedError;
      },
    );
  }
  const unknown = source('db', { kind: 'dump', origin: { engine: 'oracle', service: 'pg' } });
  assert.throws(
    () => plan([unknown], {}),
    (error: Error) => error instanceof UsageError,
  );
});

test.run();

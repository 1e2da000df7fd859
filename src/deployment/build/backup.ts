import { normalize } from 'node:path';
import { definedOnly } from '../../support/defined-only.ts';
import type {
  BackupSettings,
  BusyCheck,
  DumpSource,
  FileFilter,
  Inventory,
  Source,
} from '../backup-settings.ts';
import type { Deployment } from '../deployment.ts';
import type { WrittenBackup, WrittenSource } from '../schema/backup.ts';
import { type FileContext, hostPath } from './file-context.ts';
import { refuseHostPatterns } from './host-pattern.ts';
import { refuseOverlaps } from './overlap.ts';
import { refuseRepositoryInside } from './repository-place.ts';
import { unknownName } from './unknown-name.ts';

type Parts = Pick<Deployment, 'services' | 'volumes'>;

const base = ['x-dockerctl', 'backup'];

/** The settings under `x-dockerctl.backup`, every path absolute and every service and volume known. */
export function buildBackup(written: WrittenBackup, parts: Parts, context: FileContext): BackupSettings {
  refuseUnknownServices(written, parts, context);
  const sources = Object.entries(written.sources).map(([name, source]) => {
    return buildSource(name, source, parts, context);
  });
  const repository = hostPath(written.repository, context);
  refuseOverlaps(sources, parts.volumes, context);
  refuseRepositoryInside(sources, repository, context);
  refuseNothing(sources, parts, context);
  return {
    repository,
    recipients: written.recipients ?? [],
    signingKey: signingKey(written, context),
    signers: written.signers === undefined ? undefined : hostPath(written.signers, context),
    minFree: written['min-free'] ?? 0,
    keep: written.keep && definedOnly(written.keep),
    refuseWhile: busyChecks(written),
    sources,
    inventories: inventories(written),
    metrics: written.metrics === undefined ? undefined : hostPath(written.metrics, context),
    hooks: { onSuccess: written['on-success'] ?? [], onFailure: written['on-failure'] ?? [] },
  };
}

/** What saves nothing must not succeed night after night. */
function refuseNothing(sources: readonly Source[], { services }: Parts, context: FileContext): void {
  if (sources.length === 0) throw context.problem([...base, 'sources'], 'must name something to back up');
  const images = sources.find(({ kind }) => kind === 'images');
  if (images !== undefined && services.length === 0)
    throw context.problem([...base, 'sources', images.name], 'there is no service that has an image');
}

function signingKey({ 'signing-key': key }: WrittenBackup, context: FileContext) {
  if (key === undefined) return undefined;
  return key === 'none' ? false : hostPath(key, context);
}

function busyChecks(written: WrittenBackup): BusyCheck[] {
  return (written['refuse-while'] ?? []).map(({ run, timeout = 60, service, ...check }) => {
    return { ...check, command: run, timeout, service };
  });
}

function inventories(written: WrittenBackup): Inventory[] {
  return Object.entries(written.inventories ?? {}).map(([name, { run, service, label, ...inventory }]) => {
    return { ...inventory, name, label: label ?? inventory.key, command: run, service };
  });
}

/** Everywhere a service may be named. */
function refuseUnknownServices(written: WrittenBackup, { services }: Parts, context: FileContext): void {
  const known = services.map(({ name }) => name);
  const check = (part: object, ...path: (string | number)[]) => {
    const { service: name } = part as { service?: string };
    if (name === undefined || known.includes(name)) return;
    throw unknownName('service', name, [...base, ...path, 'service'], known, context);
  };
  for (const [name, source] of Object.entries(written.sources)) check(source, 'sources', name);
  for (const [index, busy] of (written['refuse-while'] ?? []).entries()) check(busy, 'refuse-while', index);
  for (const [name, inventory] of Object.entries(written.inventories ?? {}))
    check(inventory, 'inventories', name);
}

function buildSource(name: string, written: WrittenSource, { volumes }: Parts, context: FileContext): Source {
  const path = [...base, 'sources', name];
  if (name === 'deployment')
    throw context.problem(path, 'has the name under which the deployment file is saved');
  const common = { name, title: written.title ?? name, full: written.full ?? false };
  if ('paths' in written) {
    const paths = written.paths.map((one) => hostPath(one, context));
    const filter = filterOf(written);
    for (const key of ['include', 'exclude'] as const)
      refuseHostPatterns(filter[key], paths, [...path, key], context);
    return { ...common, kind: 'paths', paths, filter };
  }
  if ('volume' in written) {
    const { volume } = written;
    const keys = volumes.map(({ key }) => key);
    if (keys.includes(volume)) return { ...common, kind: 'volume', volume, filter: filterOf(written) };
    throw unknownName('volume', volume, [...path, 'volume'], keys, context);
  }
  if ('dump' in written) return { ...common, ...dumpOf(written, path, context) };
  if ('run' in written) {
    const { run, restore, service, timeout } = written;
    return { ...common, kind: 'run', run, restore, service, timeout };
  }
  return { ...common, kind: 'images' };
}

/** What a source leaves out that was written so. */
export function filterOf(written: WrittenSource & { paths?: unknown; volume?: unknown }): FileFilter {
  const filter = written as Extract<WrittenSource, { paths: string[] }>;
  return {
    include: filter.include ?? [],
    exclude: filter.exclude ?? [],
    oneFileSystem: filter['one-file-system'] ?? false,
    excludeCaches: filter['exclude-caches'] ?? false,
  };
}

function dumpOf(
  written: Extract<WrittenSource, { dump: unknown }>,
  path: (string | number)[],
  context: FileContext,
): DumpSource {
  const { dump: engine, service, user, databases = [], files = [], timeout } = written;
  const refuse = (key: string, reason: string) => context.problem([...path, key], reason);
  if (engine !== 'postgres' && databases.length > 0)
    throw refuse('databases', `has no meaning for ${engine}, which is saved and restored as a whole`);
  if ((engine === 'sqlite' || engine === 'redis') && user !== undefined)
    throw refuse('user', `has no meaning for ${engine}`);
  if (engine === 'sqlite') {
    const where = service === undefined ? 'on the host' : 'inside the container';
    if (files.length === 0)
      throw context.problem(path, `must name the database files ${where}: files: [/data/app.db]`);
    if (service !== undefined && !files.every((file) => file.startsWith('/')))
      throw refuse('files', 'must be absolute paths inside the container');
    const absolute = files.map((file) => normalize(service === undefined ? hostPath(file, context) : file));
    return { kind: 'dump', engine, service, files: absolute, timeout };
  }
  if (files.length > 0) throw refuse('files', 'is for sqlite only');
  if (service === undefined) throw context.problem(path, `must name the service that runs ${engine}`);
  return { kind: 'dump', engine, service, user, databases, timeout };
}

import type { ContainerSpec, MountSpec } from '../../support/container-spec.ts';
import type { Mount } from '../schema/mounts.ts';
import { splitOnce } from '../schema/scalars.ts';
import type { WrittenService } from '../schema/service.ts';
import { type FileContext, hostPath } from './file-context.ts';
import type { Surroundings } from './service.ts';
import { unknownName } from './unknown-name.ts';

/** The files the container sees besides its image's. */
export function filesOf(
  name: string,
  service: WrittenService,
  surroundings: Surroundings,
  context: FileContext,
) {
  const { mounts, tmpfs } = mountsOf(name, service, surroundings, context);
  return {
    mounts: mounts.length > 0 ? mounts : undefined,
    tmpfs: tmpfs.length > 0 ? tmpfs : undefined,
    volumesFrom: service.volumes_from?.map(volumesFrom),
    readOnly: service.read_only,
  };
}

/** A service of ours says so; a container of others goes by its name alone. */
function volumesFrom(written: string): string {
  return written.startsWith('container:') ? written.slice('container:'.length) : `service:${written}`;
}

function mountsOf(name: string, service: WrittenService, { volumes }: Surroundings, context: FileContext) {
  const keys = volumes.map(({ key }) => key);
  const resolve = (mount: Exclude<Mount, { type: 'tmpfs' }>, index: number): MountSpec => {
    if (mount.type === 'bind') return { ...mount, source: hostPath(mount.source, context) };
    const volume = volumes.find(({ key }) => key === mount.source);
    if (mount.source === '') return mount;
    if (volume !== undefined) return { ...mount, source: volume.name };
    throw unknownName('volume', mount.source, ['services', name, 'volumes', index], keys, context);
  };
  const mounts: MountSpec[] = [];
  const tmpfs: NonNullable<ContainerSpec['tmpfs']> = (service.tmpfs ?? []).map((written) => {
    const [target, options] = splitOnce(written, ':');
    return { target, ...(options !== undefined && { options }) };
  });
  for (const [index, mount] of (service.volumes ?? []).entries()) {
    if (mount.type !== 'tmpfs') mounts.push(resolve(mount, index));
    else tmpfs.push({ target: mount.target, ...(mount.options !== '' && { options: mount.options }) });
  }
  return { mounts, tmpfs };
}

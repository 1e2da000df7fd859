import { text } from 'node:stream/consumers';
import type { Execution, OutputStreams } from '../../../src/engine/engine.ts';
import type { ContainerSpec } from '../../../src/support/container-spec.ts';
import { testEngine } from '../../support/engine.ts';
import { loadBusyboxImage, uniqueName } from '../../support/images.ts';

export const { engine } = await testEngine();
export const { containers } = engine;
export const image = await loadBusyboxImage(engine, { files: { 'etc/hello': 'hello\n' } });
/** Names of what is to be removed. */
export const made: string[] = [];

export async function create(spec: Partial<ContainerSpec> = {}): Promise<string> {
  const name = spec.name ?? uniqueName();
  made.push(name);
  await containers.create({ image, command: ['sleep', '1000'], stopTimeout: 1, ...spec, name });
  return name;
}

export async function run(spec: Partial<ContainerSpec> = {}): Promise<string> {
  const name = await create(spec);
  await containers.start(name);
  return name;
}

export async function cleanUp(): Promise<void> {
  await Promise.all(
    made.map((name) => containers.remove(name, { force: true, volumes: true }).catch(() => {})),
  );
  await engine.images.remove(image, { force: true });
}

export async function outcome({ stdout, stderr, exitCode }: Execution): Promise<[string, string, number]> {
  return Promise.all([text(stdout), text(stderr), exitCode]);
}

export async function output({ stdout, stderr }: OutputStreams): Promise<[string, string]> {
  return Promise.all([text(stdout), text(stderr)]);
}

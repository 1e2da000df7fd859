import type { Deployment } from '../../src/deployment/deployment.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { Host } from '../../src/lifecycle/host.ts';
import type { Context } from '../../src/support/context.ts';
import { silent } from '../../src/support/progress.ts';
import { readText } from '../support/deployment.ts';
import { testEngine } from '../support/engine.ts';
import { loadBusyboxImage, uniqueName } from '../support/images.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A deployment of this test file's own on the shared engine. */
export interface TestHost {
  engine: Engine;
  /** Of busybox with its usual tools. */
  image: string;
  name: string;
  /** Reads a deployment of these services (YAML, two blanks in); `IMAGE` stands for the image. */
  host(
    services: string,
    options?: { release?: string; rest?: string; signal?: AbortSignal },
  ): Promise<Recorder>;
  /** Removes every container, volume, network and image of it. */
  cleanUp(): Promise<void>;
}

/** A host that remembers what was said. */
export type Recorder = Host & { deployment: Deployment; notes: string[]; warnings: string[] };

export async function createTestHost(): Promise<TestHost> {
  const { engine } = await testEngine();
  const image = await loadBusyboxImage(engine);
  const name = uniqueName('life');
  const stateDir = temporaryDirectory();
  return {
    engine,
    image,
    name,
    async host(services, { release = '1', rest = '', signal = new AbortController().signal } = {}) {
      const text = `name: ${name}\nx-dockerctl: {release: "${release}"}\nservices:\n${services}\n${rest}`;
      const deployment = await readText(text.replaceAll('IMAGE', image));
      const notes: string[] = [];
      const warnings: string[] = [];
      const context: Context = {
        progress: {
          ...silent,
          note: (message) => void notes.push(message),
          warn: (message) => void warnings.push(message),
        },
        signal,
        now: () => new Date(),
        stateDir,
      };
      return { deployment, engine, context, notes, warnings };
    },
    cleanUp: () => removeAll(engine, name, image),
  };
}

async function removeAll(engine: Engine, name: string, image: string): Promise<void> {
  const mine = (text: string | undefined) => text?.startsWith(name) === true;
  for (const { id, name: container, labels } of await engine.containers.list()) {
    const owned = mine(labels['io.dockerctl.deployment']) || mine(labels['io.dockerctl.one-off']);
    if (owned || container.includes(name)) await engine.containers.remove(id, { force: true, volumes: true });
  }
  for (const volume of await engine.volumes.list())
    if (mine(volume.name)) await engine.volumes.remove(volume.name);
  for (const network of await engine.networks.list()) {
    if (mine(network.name)) await engine.networks.remove(network.name);
  }
  await engine.images.remove(image, { force: true });
}

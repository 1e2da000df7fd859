import type { ServiceState, Services } from '../../src/restore/services/services.ts';

export interface FakeServices extends Services {
  /** What was asked of them, in order. */
  calls: string[];
  /** Called before each; may throw. */
  before: (call: string) => void;
}

/** Services without an engine: states that change as they are told, and a record of who told what. */
export function fakeServices(states: (Partial<ServiceState> & { name: string })[]): FakeServices {
  const all: ServiceState[] = states.map((state) => ({
    image: 'image',
    imageAt: 'engine',
    state: 'running',
    storage: false,
    dependsOn: [],
    mounts: [],
    ...state,
  }));
  const set = (names: readonly string[], state: ServiceState['state']) => {
    for (const service of all) if (names.includes(service.name)) service.state = state;
  };
  const fake: FakeServices = {
    calls: [],
    before() {},
    list: async () => structuredClone(all),
    strangers: async () => [],
    async stop(names) {
      record(`stop ${names.join(' ')}`);
      set(names, 'stopped');
    },
    async start(names) {
      record(`start ${names.join(' ')}`);
      set(names, 'running');
    },
    async destroy(names) {
      record(`destroy ${names.join(' ')}`);
      set(names, 'missing');
    },
    async loadImages({ stream }) {
      for await (const _ of stream);
      record('load images');
      for (const service of all) service.imageAt = 'engine';
    },
    mountedAt: async () => undefined,
    createSpare: async () => {},
    container: async (name) => name,
  };
  const record = (call: string) => {
    fake.before(call);
    fake.calls.push(call);
  };
  return fake;
}

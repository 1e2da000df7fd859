import type { HookPoint, Network, Service, Volume } from '../../deployment/deployment.ts';

/** What a command would do, in order. `--dry-run` prints it, and nothing else decides. */
export interface Plan {
  steps: Step[];
  /** What the operator should know although the plan goes on. */
  warnings: string[];
}

export type Step =
  | { do: 'load-images'; images: string[]; archives: string[] }
  | { do: 'create-volume'; volume: Volume }
  | { do: 'create-network'; network: Network }
  | { do: 'remove-network'; network: Network }
  | ContainerStep;

/** A step that one service's container is the subject of. */
export type ContainerStep = { service: Service; container: string } & (
  | { do: 'create' }
  | { do: 'start' }
  /** What is done when it has ended: storage, and jobs that others wait for. It must exit with status 0. */
  | { do: 'run-to-end' }
  | { do: 'wait-ready' }
  | { do: 'hooks'; point: HookPoint }
  | { do: 'stop' }
  | { do: 'remove' }
);

/** A step in a line, as `--dry-run` and progress show it. */
export function describeStep(step: Step): string {
  switch (step.do) {
    case 'load-images':
      return `load ${step.images.join(', ')} from ${step.archives.join(', ')}`;
    case 'create-volume':
      return `create volume ${step.volume.name}`;
    case 'create-network':
      return `create network ${step.network.name}`;
    case 'remove-network':
      return `remove network ${step.network.name}`;
    case 'create':
      return `create ${step.container} from ${step.service.image}`;
    case 'start':
      return `start ${step.container}`;
    case 'run-to-end':
      return `run ${step.container} to its end`;
    case 'wait-ready':
      return `wait until ${step.container} is ready`;
    case 'hooks':
      return `run the ${step.point} hooks of ${step.container}`;
    case 'stop':
      return `stop ${step.container}`;
    case 'remove':
      return `remove ${step.container} and its anonymous volumes`;
  }
}

/** What a step is about, for machines: what is done, and to what. */
export type StepDocument = { do: Step['do'] } & Partial<
  Record<'service' | 'container' | 'image' | 'volume' | 'network' | 'hooks', string>
> & { images?: string[]; archives?: string[] };

/** A step as `--json` prints it. */
export function stepDocument(step: Step): StepDocument {
  switch (step.do) {
    case 'load-images':
      return step;
    case 'create-volume':
      return { do: step.do, volume: step.volume.name };
    case 'create-network':
    case 'remove-network':
      return { do: step.do, network: step.network.name };
    default: {
      const about = { do: step.do, service: step.service.name, container: step.container };
      if (step.do === 'create') return { ...about, image: step.service.image };
      return step.do === 'hooks' ? { ...about, hooks: step.point } : about;
    }
  }
}

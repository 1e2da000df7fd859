import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Step, stepDocument } from '../../../src/lifecycle/plan/plan.ts';
import { readText } from '../../support/deployment.ts';

const { services, volumes, networks } = await readText(
  'name: shop\nx-dockerctl: {release: "1.4"}\nservices: {web: {image: "shop/nginx:1.4", volumes: ["uploads:/up"]}}\nvolumes: {uploads: }\n',
);
const [service] = services;
const about = { service: service!, container: 'shop-1.4-web' };
const steps: Step[] = [
  { do: 'load-images', images: ['shop/nginx:1.4'], archives: ['/srv/media/shop-1.4.tar.xz'] },
  { do: 'create-volume', volume: volumes[0]! },
  { do: 'create-network', network: networks[0]! },
  { do: 'create', ...about },
  { do: 'hooks', point: 'pre-start', ...about },
  { do: 'start', ...about },
  { do: 'wait-ready', ...about },
];

test('a plan as JSON is what the document shows', () => {
  const blocks = readFileSync('docs/containers.md', 'utf8').matchAll(/^```json\n([\s\S]*?)^```$/gm);
  const [plan] = [...blocks]
    .map((match) => JSON.parse(match[1] ?? ''))
    .filter((document) => 'steps' in document);
  assert.equal(steps.map(stepDocument), plan.steps);
});

test.run();

import { test } from 'uvu';
import { testChoices } from './choice-cases.ts';
import { testCompressions } from './compression-cases.ts';
import { testEras } from './era-cases.ts';
import { testFailures } from './failure-cases.ts';
import { loadGround } from './load-ground.ts';
import { testSending } from './sending-cases.ts';

const ground = await loadGround(test, 'containerd');
testEras(test, ground);
testCompressions(test, ground);
testFailures(test, ground);
testSending(test, ground);
testChoices(test, ground);
test.run();

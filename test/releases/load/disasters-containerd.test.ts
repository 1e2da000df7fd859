import { test } from 'uvu';
import { testDisasters } from './disaster-cases.ts';

testDisasters(test, 'containerd');
test.run();

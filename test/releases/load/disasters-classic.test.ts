import { test } from 'uvu';
import { testDisasters } from './disaster-cases.ts';

testDisasters(test, 'classic');
test.run();

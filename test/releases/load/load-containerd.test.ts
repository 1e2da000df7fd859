import { test } from 'uvu';
import { testLoading } from './load-cases.ts';

await testLoading(test, 'containerd');
test.run();

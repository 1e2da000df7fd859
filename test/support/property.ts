import fc from 'fast-check';
import { seed } from './random.ts';

/** Properties of the suite are tried on the same cases every time; `SEED=…` tries others. */
fc.configureGlobal({ seed });

export default fc;

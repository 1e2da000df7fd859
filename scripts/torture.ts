/**
 * `npm run torture -- NAME [ARGS…]` does at length what the suite does in short; without a name it lists what there is.
 */
import { runNamed } from './run-named.ts';

await runNamed('torture');

/** `npm run bench -- NAME [ARGS…]` measures; without a name it lists the benches. */
import { runNamed } from './run-named.ts';

await runNamed('bench');

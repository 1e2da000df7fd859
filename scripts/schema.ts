/**
 * Writes the JSON Schema that editors check deployment files with; format it afterwards. A test fails when it is out of
 * date.
 */
import { writeFileSync } from 'node:fs';
import { deploymentJsonSchema } from '../src/deployment/json-schema.ts';

writeFileSync('docs/deployment.schema.json', `${JSON.stringify(deploymentJsonSchema(), undefined, 2)}\n`);

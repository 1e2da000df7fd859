import * as z from 'zod';
import { deploymentFile } from './schema/file.ts';

/**
 * The JSON Schema of deployment files, for editors (draft 2020-12), made from the schema that reads them. It knows
 * keys and shapes; references between parts of a file, and the forms of short syntax, only the reader knows.
 */
export function deploymentJsonSchema(): object {
  const schema = z.toJSONSchema(deploymentFile, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      allowExtensions(jsonSchema);
      allowVariables(jsonSchema);
    },
  });
  return { ...schema, title: 'dockerctl deployment file' };
}

function allowExtensions(schema: z.core.JSONSchema.BaseSchema): void {
  if (!('extensible' in schema)) return;
  delete schema.extensible;
  schema.patternProperties = { '^x-': {} };
}

/** Text of a certain form may be a variable that becomes such text. */
function allowVariables(schema: z.core.JSONSchema.BaseSchema): void {
  const { type, pattern, enum: values } = schema;
  if (type !== 'string' || (pattern === undefined && values === undefined)) return;
  for (const key of Object.keys(schema)) delete schema[key];
  const written = {
    type,
    ...(pattern !== undefined && { pattern }),
    ...(values !== undefined && { enum: values }),
  };
  schema.anyOf = [written, { type, pattern: '\\$' }];
}

/** The parts of a file whose entries are maps that may carry extension keys of their own. */
const sections = ['services', 'volumes', 'networks'];

/** The file without the keys `x-…` of others, in the places where the Compose Specification allows them. */
export function withoutExtensions(file: unknown): unknown {
  if (!isMap(file)) return file;
  const own = strip(file);
  for (const section of sections) {
    const entries = own[section];
    if (!isMap(entries)) continue;
    own[section] = Object.fromEntries(
      Object.entries(entries).map(([key, entry]) => [key, isMap(entry) ? stripDeep(entry) : entry]),
    );
  }
  return own;
}

const nested = ['logging', 'healthcheck', 'ipam'];

function stripDeep(entry: Record<string, unknown>): Record<string, unknown> {
  const own = strip(entry);
  for (const key of nested) if (isMap(own[key])) own[key] = strip(own[key]);
  return own;
}

function strip(map: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(map).filter(([key]) => key === 'x-dockerctl' || !key.startsWith('x-')),
  );
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

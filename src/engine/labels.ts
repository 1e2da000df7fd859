/** The engine's filter for what carries every one of `labels`; its values are compared whole. */
export function labelFilter(labels: Record<string, string> = {}): Record<string, string[]> {
  const wanted = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return wanted.length === 0 ? {} : { label: wanted };
}

/** The beginning of a snapshot's id that people read and type: 12 hex digits, without `sha256:`. */
export function shortId(id: string): string {
  return id.slice('sha256:'.length, 'sha256:'.length + 12);
}

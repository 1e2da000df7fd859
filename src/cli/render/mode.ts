/** Permission bits as chmod(1) takes them: `0644`, `4755`. */
export function formatMode(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** As ls(1) writes them: setuid, setgid and sticky stand in the place of `x`, capital where that is missing. */
export function formatPermissions(mode: number): string {
  return [6, 3, 0]
    .map((shift, i) => {
      const bits = (mode >> shift) & 7;
      const special = (mode >> (11 - i)) & 1;
      const letter = i === 2 ? 't' : 's';
      const execute = special ? (bits & 1 ? letter : letter.toUpperCase()) : bits & 1 ? 'x' : '-';
      return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${execute}`;
    })
    .join('');
}

/** Whether a path lies below a directory. Both absolute, or relative to the same place, which is `.`. */
export function isInside(path: string, directory: string): boolean {
  return directory === '.' || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
}

/** Whether a path is a directory, or lies below it. */
export function isAtOrIn(path: string, directory: string): boolean {
  return path === directory || isInside(path, directory);
}

/** Whether one of them holds the other, or is it. */
export function overlap(a: string, b: string): boolean {
  return isAtOrIn(a, b) || isInside(b, a);
}

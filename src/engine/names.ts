import { NotFoundError } from '../support/errors.ts';

/**
 * Whether the engine allows this as a name of a container, volume or network, or as an id. What it does not allow
 * cannot exist, and must not reach the path of a request.
 */
export function isName(text: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(text);
}

/**
 * Whether the engine could take this for the beginning of an id. It prefers an exact name, but where there is none
 * it would act on whatever id begins so.
 */
function couldBeIdPrefix(text: string): boolean {
  return /^[0-9a-f]{1,63}$/.test(text);
}

/**
 * What the engine takes for exactly the thing of this name or full id, and never for the beginning of an id.
 * @param idOf looks the exact name up among those that are like it
 */
export async function exactKey(
  name: string,
  idOf: () => Promise<string | undefined>,
): Promise<string | undefined> {
  if (!isName(name)) return undefined;
  return couldBeIdPrefix(name) ? idOf() : name;
}

/**
 * An image reference or id as it may stand in the path of a request; a short hexadecimal one is meant as a name.
 * `undefined` for what can be neither.
 */
export function imageReference(text: string): string | undefined {
  if (!/^[a-zA-Z0-9](?:[a-zA-Z0-9_.:@+-]|\/(?=[a-zA-Z0-9]))*$/.test(text)) return undefined;
  return couldBeIdPrefix(text) ? `${text}:latest` : text;
}

/** @param kind what it is: `container`, `image` */
export function notFound(kind: string, name: string): NotFoundError {
  return new NotFoundError(`there is no ${kind} named ${name}`, { facts: { [kind]: name } });
}

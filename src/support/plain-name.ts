/** A name that is one word in a shell, one component of a path and no option: of services, sources and inventories. */
export const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

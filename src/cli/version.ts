declare const DOCKERCTL_VERSION: string | undefined;

/** Put in by the build; from the sources it is the working copy's. */
export const version = typeof DOCKERCTL_VERSION === 'string' ? DOCKERCTL_VERSION : '0.1.0-dev';

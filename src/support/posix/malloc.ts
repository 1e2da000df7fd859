import { libc } from './libc.ts';

const mmapThreshold = -3;

/**
 * Makes the allocator give blocks of 256 KiB and more back to the system when they are freed. By itself it keeps them,
 * in an arena per thread: 100 MB and more for a process whose threads all compress.
 */
export function returnLargeBlocks(): void {
  libc().mallopt(mmapThreshold, 256 * 1024);
}

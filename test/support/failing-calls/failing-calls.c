// Preloaded into a process, makes one of its calls on files below a directory fail, or all from that one on: what a
// disk that dies, a server that is gone or a file system that becomes read-only does to it.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

// From the environment: FAIL_BELOW is the directory, FAIL_ON the letters of the kinds of calls that count (r: reading,
// w: changing, o: opening), FAIL_AT the number of the one that fails, from 1 on, FAIL_WITH its errno; with FAIL_LASTING
// all fail from then on. The file FAIL_LOG gets a line for each call that failed or, where FAIL_AT is 0, for each that
// counts.
static const char *below, *kinds;
static long number, error_number;
static int lasting, log_file = -1;
static atomic_long count;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
  below = getenv("FAIL_BELOW");
  kinds = getenv("FAIL_ON");
  if (!below || !kinds) return;
  number = atol(getenv("FAIL_AT"));
  error_number = atol(getenv("FAIL_WITH"));
  lasting = getenv("FAIL_LASTING") != NULL;
  log_file = REAL(open)(getenv("FAIL_LOG"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  unsetenv("LD_PRELOAD"); // The programs that it starts are left alone.
}

// Of a descriptor when `path` is empty, else of a path that may begin at it.
static void find_path(char *found, int directory, const char *path) {
  char link[64] = "/proc/self/cwd";
  if (path && path[0] == '/') {
    snprintf(found, PATH_MAX, "%s", path);
    return;
  }
  if (directory != AT_FDCWD) snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
  long length = REAL(readlink)(link, found, PATH_MAX - 1);
  if (length < 0) length = 0;
  found[length] = 0;
  if (path && path[0]) snprintf(found + length, PATH_MAX - length, "/%s", path);
}

static int is_below(const char *path) {
  size_t length = strlen(below);
  return strncmp(path, below, length) == 0 && (path[length] == 0 || path[length] == '/');
}

static int fails(const char *name, const char *kind, int directory, const char *path) {
  if (!below || !kinds || !strpbrk(kinds, kind)) return 0;
  int before = errno;
  char found[PATH_MAX], line[PATH_MAX + 64];
  find_path(found, directory, path);
  errno = before;
  if (!is_below(found)) return 0;
  long now = ++count;
  int hit = number > 0 && (lasting ? now >= number : now == number);
  if (hit || number == 0) REAL(write)(log_file, line, snprintf(line, sizeof line, "%s %s %s\n", kind, name, found));
  errno = hit ? (int)error_number : before;
  return hit;
}

#define CALL(type, bad, name, kind, parameters, arguments, directory, path) \
  type name parameters { return fails(#name, kind, directory, path) ? bad : REAL(name) arguments; }

#define ON_FILE(name, kind, parameters, arguments) CALL(int, -1, name, kind, parameters, arguments, file, NULL)
ON_FILE(fsync, "w", (int file), (file))
ON_FILE(fdatasync, "w", (int file), (file))
ON_FILE(syncfs, "w", (int file), (file))
ON_FILE(sync_file_range, "w", (int file, off64_t at, off64_t size, unsigned flags), (file, at, size, flags))
ON_FILE(ftruncate64, "w", (int file, off64_t size), (file, size))
ON_FILE(fchmod, "w", (int file, mode_t mode), (file, mode))
ON_FILE(flock, "r", (int file, int operation), (file, operation))

#define ON_PATH(name, parameters, arguments) CALL(int, -1, name, "w", parameters, arguments, AT_FDCWD, path)
ON_PATH(rename, (const char *old, const char *path), (old, path))
ON_PATH(unlink, (const char *path), (path))
ON_PATH(rmdir, (const char *path), (path))
ON_PATH(mkdir, (const char *path, mode_t mode), (path, mode))
CALL(int, -1, unlinkat, "w", (int at, const char *path, int flags), (at, path, flags), at, path)
CALL(DIR *, NULL, opendir, "or", (const char *path), (path), AT_FDCWD, path)
CALL(struct dirent64 *, NULL, readdir64, "r", (DIR *list), (list), dirfd(list), NULL)
CALL(int, -1, statx, "r", (int at, const char *path, int flags, unsigned mask, struct statx *result),
     (at, path, flags, mask, result), at, path)

typedef int (*choose_t)(const struct dirent64 *);
typedef int (*compare_t)(const struct dirent64 **, const struct dirent64 **);
CALL(int, -1, scandir64, "or", (const char *path, struct dirent64 ***list, choose_t choose, compare_t compare),
     (path, list, choose, compare), AT_FDCWD, path)

#define OPEN(name, parameters, arguments, directory) \
  int name parameters { \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    const char *kind = (flags & O_ACCMODE) == O_RDONLY && !(flags & O_CREAT) ? "or" : "ow"; \
    return fails(#name, kind, directory, path) ? -1 : REAL(name) arguments; \
  }
OPEN(open, (const char *path, int flags, ...), (path, flags, mode), AT_FDCWD)
OPEN(open64, (const char *path, int flags, ...), (path, flags, mode), AT_FDCWD)
OPEN(openat, (int at, const char *path, int flags, ...), (at, path, flags, mode), at)
OPEN(openat64, (int at, const char *path, int flags, ...), (at, path, flags, mode), at)

#define MOVE(name, kind, parameters, arguments) CALL(ssize_t, -1, name, kind, parameters, arguments, file, NULL)
MOVE(flistxattr, "r", (int file, char *list, size_t size), (file, list, size))
MOVE(read, "r", (int file, void *bytes, size_t size), (file, bytes, size))
MOVE(pread64, "r", (int file, void *bytes, size_t size, off64_t at), (file, bytes, size, at))
MOVE(write, "w", (int file, const void *bytes, size_t size), (file, bytes, size))
MOVE(pwrite64, "w", (int file, const void *bytes, size_t size, off64_t at), (file, bytes, size, at))
MOVE(writev, "w", (int file, const struct iovec *parts, int size), (file, parts, size))

// As the kernel has it: the descriptor is gone, whatever close answers.
int close(int file) {
  int failed = fails("close", "r", file, NULL), kept = errno;
  int result = REAL(close)(file);
  if (!failed) return result;
  errno = kept;
  return -1;
}

// What node and we call by its number.
long syscall(long call, ...) {
  long a[6];
  va_list rest;
  va_start(rest, call);
  for (int i = 0; i < 6; i++) a[i] = va_arg(rest, long);
  va_end(rest);
  if (call == SYS_close) return close((int)a[0]);
  if (call == SYS_statx && fails("statx", "r", (int)a[0], (const char *)a[1])) return -1;
  if (call == SYS_getdents64 && fails("getdents64", "r", (int)a[0], NULL)) return -1;
  return REAL(syscall)(call, a[0], a[1], a[2], a[3], a[4], a[5]);
}

// Whoever asks for the C library by its name would get past all this: he gets what the program itself is linked with.
void *dlopen(const char *name, int flags) {
  return REAL(dlopen)(name && strcmp(name, "libc.so.6") == 0 ? NULL : name, flags);
}

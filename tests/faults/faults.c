/* Counts every system call that changes the disk, and at one of them kills the process or fails.
 *
 * Preloaded into a process (LD_PRELOAD); faults_arm() is called through ctypes when the work that
 * is to be disturbed begins. Standard streams are left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { OFF, COUNT, KILL_BEFORE, KILL_AFTER, FAIL_ONCE, FAIL_FROM };

static long count, target;
static int mode = OFF, failure;

void faults_arm(int new_mode, long at, int error_number) {
    count = 0; target = at; mode = new_mode; failure = error_number;
}
long faults_count(void) { return count; }

/* Whether the call is to fail. */
static int before(void) {
    if (mode == OFF) return 0;
    count++;
    if (mode == KILL_BEFORE && count == target) raise(SIGKILL);
    if ((mode == FAIL_ONCE && count == target) || (mode == FAIL_FROM && count >= target)) {
        errno = failure;
        return 1;
    }
    return 0;
}
static void after(void) {
    if (mode == KILL_AFTER && count == target) raise(SIGKILL);
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
#define DISTURBED(call) \
    if (before()) return -1; \
    { __typeof__(call) result = call; after(); return result; }

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    if (fd <= 2) return real(fd, data, size);
    if (mode == KILL_BEFORE && count + 1 == target && size > 1) {
        (void)!real(fd, data, size / 2); /* a write that was cut in the middle */
    }
    DISTURBED(real(fd, data, size));
}
int fsync(int fd) { REAL(fsync); DISTURBED(real(fd)); }
int fchmod(int fd, mode_t bits) { REAL(fchmod); DISTURBED(real(fd, bits)); }
int chmod(const char *path, mode_t bits) { REAL(chmod); DISTURBED(real(path, bits)); }
int rename(const char *from, const char *to) { REAL(rename); DISTURBED(real(from, to)); }
int renameat(int a, const char *from, int b, const char *to) {
    REAL(renameat); DISTURBED(real(a, from, b, to));
}
int unlink(const char *path) { REAL(unlink); DISTURBED(real(path)); }
int unlinkat(int fd, const char *path, int flags) {
    REAL(unlinkat); DISTURBED(real(fd, path, flags));
}
int rmdir(const char *path) { REAL(rmdir); DISTURBED(real(path)); }
int mkdir(const char *path, mode_t bits) { REAL(mkdir); DISTURBED(real(path, bits)); }
int mkdirat(int fd, const char *path, mode_t bits) {
    REAL(mkdirat); DISTURBED(real(fd, path, bits));
}
int link(const char *from, const char *to) { REAL(link); DISTURBED(real(from, to)); }
int symlink(const char *from, const char *to) { REAL(symlink); DISTURBED(real(from, to)); }
int symlinkat(const char *from, int fd, const char *to) {
    REAL(symlinkat); DISTURBED(real(from, fd, to));
}
int linkat(int a, const char *from, int b, const char *to, int flags) {
    REAL(linkat); DISTURBED(real(a, from, b, to, flags));
}
int truncate(const char *path, off_t size) { REAL(truncate); DISTURBED(real(path, size)); }
int truncate64(const char *path, off64_t size) { REAL(truncate64); DISTURBED(real(path, size)); }
int ftruncate64(int fd, off64_t size) { REAL(ftruncate64); DISTURBED(real(fd, size)); }

static int writes(int flags) { return (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT); }
#define OPENED(name, real_call) \
    mode_t bits = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
        va_list rest; va_start(rest, flags); bits = va_arg(rest, mode_t); va_end(rest); \
    } \
    REAL(name); \
    if (!writes(flags)) return real_call; \
    DISTURBED(real_call)

int open(const char *path, int flags, ...) { OPENED(open, real(path, flags, bits)); }
int open64(const char *path, int flags, ...) { OPENED(open64, real(path, flags, bits)); }
int openat(int fd, const char *path, int flags, ...) {
    OPENED(openat, real(fd, path, flags, bits));
}
int openat64(int fd, const char *path, int flags, ...) {
    OPENED(openat64, real(fd, path, flags, bits));
}

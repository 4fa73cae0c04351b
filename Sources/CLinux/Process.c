#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(CLINUX_CAP_NET_ADMIN == CAP_NET_ADMIN, "CAP_NET_ADMIN has another number");

void _swift_stdlib_overrideUnsafeArgvArgc(unsigned char **argv, int argc);

// In a root without /proc (a container of one file) the Swift runtime stops before main: it looks there for its own path
// and for the arguments. Both are told here, before its first question, and only where it could not ask.
__attribute__((constructor(101))) static void start_without_proc(int argc, char **argv, char **envp) {
  (void)envp;
  if (access("/proc/self/exe", F_OK) == 0 && access("/proc/self/cmdline", R_OK) == 0) return;
  setenv("SWIFT_ROOT", "/", 0);
  _swift_stdlib_overrideUnsafeArgvArgc((unsigned char **)argv, argc);
}

int clinux_set_thread_name(const char *name) {
  char kept[16];
  strncpy(kept, name, sizeof kept - 1);
  kept[sizeof kept - 1] = 0;
  return pthread_setname_np(pthread_self(), kept);
}

int clinux_has_capability(int capability) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
  if (syscall(SYS_capget, &header, data) != 0) return -1;
  return data[capability / 32].effective >> (capability % 32) & 1;
}

int clinux_forbid_dumps(void) {
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int clinux_forbid_new_privileges(void) {
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int clinux_forbid_cores(void) {
  const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
  return setrlimit(RLIMIT_CORE, &none);
}

int clinux_unshare_network(void) {
  return unshare(CLONE_NEWNET);
}

pid_t clinux_fork(void) {
  return fork();
}

int clinux_redirect_standard_streams(const char *path) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  int output = path == NULL ? null : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (path != NULL && output < 0) {
    if (null > 2) close(null);
    return -1;
  }
  // A root without /dev/null keeps the streams it has.
  if (null >= 0) dup2(null, STDIN_FILENO);
  if (output >= 0) {
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
  }
  if (output > 2 && output != null) close(output);
  if (null > 2) close(null);
  return 0;
}

int clinux_open(const char *path, int flags, mode_t mode) {
  return open(path, flags, mode);
}

int clinux_accept(int socket) {
  return accept4(socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int clinux_make_nonblocking(int descriptor) {
  int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0) return -1;
  return fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

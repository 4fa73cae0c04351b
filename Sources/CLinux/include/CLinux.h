// What Swift cannot import from the C library by itself, and nothing else.
//
// Rules: no `_GNU_SOURCE` here (it would change the layout of types that other C modules import too), only in the .c
// files; a function returns what the system call returns, and -1 with `errno` set on failure; the comment at each
// declaration says why it is needed.
#pragma once

// The C library's types belong to Swift's own module of it, whichever of our modules names them first.
#ifdef __swift__
#pragma clang module import SwiftGlibc
#endif

#include <time.h>

#include <linux/errqueue.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/uio.h>

// MARK: - Batched datagrams

/// `struct mmsghdr`, which the C library declares under `_GNU_SOURCE` only; a static assertion compares the two.
struct clinux_mmsghdr {
  struct msghdr msg_hdr;
  unsigned int msg_len;
};

/// recvmmsg(2) without a timeout.
int clinux_recvmmsg(int socket, struct clinux_mmsghdr *messages, unsigned int count, int flags);

/// sendmmsg(2).
int clinux_sendmmsg(int socket, const struct clinux_mmsghdr *messages, unsigned int count, int flags);

// Linux' own names for UDP offloads: <netinet/udp.h> has them under `_GNU_SOURCE` only.
enum {
  CLINUX_UDP_SEGMENT = 103,
  CLINUX_UDP_GRO = 104,
};

// MARK: - TUN

/// The header in front of a packet of a device with `IFF_VNET_HDR`. <linux/virtio_net.h> has unions of one width that
/// Swift imports awkwardly; a static assertion compares the sizes.
struct clinux_virtio_net_header {
  uint8_t flags;
  uint8_t gso_type;
  uint16_t header_length;
  uint16_t gso_size;
  uint16_t checksum_start;
  uint16_t checksum_offset;
};

/// ioctl(TUNSETIFF). `name` has 16 octets and receives the name that the kernel chose. Request numbers are macros that
/// Swift does not import, and `ioctl` is variadic.
int clinux_tun_set_interface(int descriptor, char *name, short flags);

/// ioctl(TUNGETIFF). `name` has 16 octets.
int clinux_tun_get_interface(int descriptor, char *name, short *flags);

/// ioctl(TUNSETOFFLOAD) with `TUN_F_*` flags.
int clinux_tun_set_offloads(int descriptor, unsigned int flags);

/// ioctl(TUNSETVNETHDRSZ).
int clinux_tun_set_vnet_header_size(int descriptor, int size);

/// ioctl(TUNGETVNETHDRSZ).
int clinux_tun_get_vnet_header_size(int descriptor, int *size);

// Missing from Debian 12's headers (Linux 6.1).
enum {
  CLINUX_TUN_F_USO4 = 0x20,
  CLINUX_TUN_F_USO6 = 0x40,
};

// MARK: - Processes and threads

/// pthread_setname_np(3) for the calling thread; the kernel keeps 15 octets.
int clinux_set_thread_name(const char *name);

/// Whether the process holds this capability effectively (capget(2), which has no C library wrapper); -1 on failure.
int clinux_has_capability(int capability);

/// `CAP_NET_ADMIN`: <linux/capability.h> clashes with nothing but is needed for this alone.
enum { CLINUX_CAP_NET_ADMIN = 12 };

/// prctl(PR_SET_DUMPABLE, 0): no core dump, no ptrace by the same user. `prctl` is variadic.
int clinux_forbid_dumps(void);

/// prctl(PR_SET_NO_NEW_PRIVS, 1).
int clinux_forbid_new_privileges(void);

/// setrlimit(RLIMIT_CORE, 0): the resource's type differs between C and Swift.
int clinux_forbid_cores(void);

/// mallopt(M_MMAP_THRESHOLD, size) and mallopt(M_TRIM_THRESHOLD, size): <malloc.h> is in no module.
int clinux_return_large_blocks(size_t size);

/// madvise(MADV_DONTNEED) for the segments of the program that are not writable: dl_iterate_phdr(3) is declared under
/// `_GNU_SOURCE`.
int clinux_release_program(void);

/// unshare(CLONE_NEWNET) for the calling thread; tests make their own network with it.
int clinux_unshare_network(void);

/// fork(2), which Swift marks unavailable. To be called while the process has one thread: the child keeps only the
/// caller.
pid_t clinux_fork(void);

/// Opens `path` (or /dev/null, where it exists) as standard input, output and error; `path` takes only the output.
int clinux_redirect_standard_streams(const char *path);

/// open(2) with a mode, which is variadic in C.
int clinux_open(const char *path, int flags, mode_t mode);

/// accept4(2) of a non-blocking connection: declared under `_GNU_SOURCE` only.
int clinux_accept(int socket);

/// fcntl(2): adds O_NONBLOCK and FD_CLOEXEC to an inherited descriptor.
int clinux_make_nonblocking(int descriptor);

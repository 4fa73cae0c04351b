#define _GNU_SOURCE
#include "CLinux.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

_Static_assert(sizeof(struct clinux_mmsghdr) == sizeof(struct mmsghdr), "mmsghdr has another size");
_Static_assert(
    offsetof(struct clinux_mmsghdr, msg_len) == offsetof(struct mmsghdr, msg_len), "mmsghdr has another layout");
_Static_assert(CLINUX_UDP_SEGMENT == UDP_SEGMENT && CLINUX_UDP_GRO == UDP_GRO, "UDP offloads have other numbers");

int clinux_recvmmsg(int socket, struct clinux_mmsghdr *messages, unsigned int count, int flags) {
  return recvmmsg(socket, (struct mmsghdr *)messages, count, flags, NULL);
}

int clinux_sendmmsg(int socket, const struct clinux_mmsghdr *messages, unsigned int count, int flags) {
  return sendmmsg(socket, (struct mmsghdr *)messages, count, flags);
}

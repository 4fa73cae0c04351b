#define _GNU_SOURCE
#include "CLinux.h"

#include <linux/virtio_net.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

_Static_assert(
    sizeof(struct clinux_virtio_net_header) == sizeof(struct virtio_net_hdr), "virtio_net_hdr has another size");

int clinux_tun_set_interface(int descriptor, char *name, short flags) {
  struct ifreq request;
  memset(&request, 0, sizeof request);
  memcpy(request.ifr_name, name, IFNAMSIZ);
  request.ifr_flags = flags;
  int result = ioctl(descriptor, TUNSETIFF, &request);
  if (result == 0) memcpy(name, request.ifr_name, IFNAMSIZ);
  return result;
}

int clinux_tun_get_interface(int descriptor, char *name, short *flags) {
  struct ifreq request;
  memset(&request, 0, sizeof request);
  int result = ioctl(descriptor, TUNGETIFF, &request);
  if (result == 0) {
    memcpy(name, request.ifr_name, IFNAMSIZ);
    *flags = request.ifr_flags;
  }
  return result;
}

int clinux_tun_set_offloads(int descriptor, unsigned int flags) {
  return ioctl(descriptor, TUNSETOFFLOAD, (unsigned long)flags);
}

int clinux_tun_set_vnet_header_size(int descriptor, int size) {
  return ioctl(descriptor, TUNSETVNETHDRSZ, &size);
}

int clinux_tun_get_vnet_header_size(int descriptor, int *size) {
  return ioctl(descriptor, TUNGETVNETHDRSZ, size);
}

# The container case without an engine: a read-only root that holds the static executable, its file and /dev/net/tun.
#
#   a ───────── b           a's root:  /meshd  /mesh.conf  /dev/net/tun
#                           no /proc, no /run, no libraries, no shell

. "${BASH_SOURCE%/*}/../lib.sh"
is_static() { [[ $(ldd "$MESHD" 2>&1 || true) == *'not a dynamic executable'* ]]; }
is_static || skip "$MESHD is not a static executable"

nodes a b
link a b
mesh_node a 1 b
mesh_node b 2 a
up b

root=$scratch/a/root
mkdir -p "$root/dev/net"
touch "$root/dev/net/tun"
install -m 755 "$MESHD" "$root/meshd"
install -m 600 "$(config a)" "$root/$(device a).conf"
# The mounts are seen by this process only and go with it.
start a sh -c 'mount --bind "$1" "$1" && mount --bind /dev/net/tun "$1/dev/net/tun" &&
  mount -o remount,bind,ro "$1" && exec chroot "$1" /meshd up -f "/$2"' sh "$root" "$(device a).conf"

check "it comes up and reaches its peer" within 10 both_reach a b 10.44.0.1 10.44.0.2
check "IPv6 too" pings b fd44::1
check "5 MB arrive intact" transfers b a 10.44.0.1 5
check "its root is read-only" fails touch "/proc/${pid[a]}/root/file"
kill -TERM "${pid[a]}"
check "SIGTERM ends it within a second" stopped_within 1 a
check "its interface is gone" fails in_node a ip link show "$(device a)"

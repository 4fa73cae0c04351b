# The chain again: every meshd is an unprivileged user with CAP_NET_ADMIN alone, and m's kernel has no IPv6.
#
#      a ───── veth ───── m ───── veth ───── b
#   uid 65534          uid 65534          uid 65534
#                   disable_ipv6=1

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a m b
link a m
link m b
in_node m sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6'
mesh_node a 1 m
mesh_node m 2 a b
mesh_node b 3 m

# The user must be able to reach the executable, and to open /dev/net/tun: both are copies that only this test sees.
install -m 755 "$MESHD" "$scratch/meshd"
chmod 711 "$scratch"
in_private_dev='mount -t tmpfs tmpfs /dev/net && mknod -m 666 /dev/net/tun c 10 200 && exec "$@"'
for node in a m b; do
  mkdir "$scratch/$node/run" "$scratch/$node/state"
  chown -R 65534:65534 "$scratch/$node"
  start "$node" sh -c "$in_private_dev" sh setpriv --reuid 65534 --regid 65534 --clear-groups \
    --inh-caps -all,+net_admin --ambient-caps -all,+net_admin --bounding-set -all,+net_admin --no-new-privs \
    "$scratch/meshd" up -f --socket-dir "$scratch/$node/run" --state-dir "$scratch/$node/state" "$(config "$node")"
done

capabilities() { awk '/^CapEff/ { print $2 }' "/proc/${pid[m]}/status"; }
check "a and b find each other through m" within 10 both_reach a b 10.44.0.1 10.44.0.3
check "IPv6 too, though m's kernel has none" within 10 both_reach a b fd44::1 fd44::3
check "m holds CAP_NET_ADMIN (bit 12) and nothing else" test "$(capabilities)" = 0000000000001000
check "20 echoes, none lost" pings a 10.44.0.3 20
check "10 MB from a to b arrive intact" transfers a b fd44::3 10
check "traceroute shows m" path_is a 10.44.0.3 10.44.0.2 10.44.0.3
check "meshd show finds the socket" in_node m "$MESHD" show --socket-dir "$scratch/m/run" "$(device m)"

kill -TERM "${pid[m]}"
check "SIGTERM ends it within a second" stopped_within 1 m
check "its socket is gone" fails test -e "$scratch/m/run/$(device m).sock"
check "its interface is gone" fails in_node m ip link show "$(device m)"

# One interface and one UDP port per node, however many peers it has.
#
#   a     b     c
#    ╲    │    ╱
#     ╲   │   ╱
#         m              one IPv4 and one IPv6 socket per lane, a lane per two cores

. "${BASH_SOURCE%/*}/../lib.sh"

nodes m a b c
for node in a b c; do link "$node" m; done
mesh_node m 1 a b c
mesh_node a 2 m
mesh_node b 3 m
mesh_node c 4 m
for node in m a b c; do up "$node"; done
all_reached() { reaches m 10.44.0.2 && reaches m 10.44.0.3 && reaches m 10.44.0.4; }
check "m reaches its three peers" within 10 all_reached

cores=$(nproc)
lanes=$((cores > 3 ? cores / 2 : 1))
tunnels() { in_node m ip -o -d link show | grep -c ' tun '; }
udp_sockets() { in_node m ss -Hulnp | grep -c "pid=${pid[m]},"; }
udp_ports() { in_node m ss -Huln | awk '{ sub(/.*:/, "", $4); print $4 }' | sort -u | tr '\n' ' '; }
check "m has one tunnel interface" test "$(tunnels)" = 1
check "m uses one UDP port" test "$(udp_ports)" = "51820 "
check "m holds one pair of UDP sockets per lane ($lanes)" test "$(udp_sockets)" = $((2 * lanes))

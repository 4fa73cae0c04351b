# One interface and one UDP port per node, however many peers it has.
#
#   a     b     c
#    ╲    │    ╱
#     ╲   │   ╱
#         m              one IPv4 and one IPv6 socket per lane, a lane per two cores; a is told to have three

. "${BASH_SOURCE%/*}/../lib.sh"

nodes m a b c
for node in a b c; do link "$node" m; done
mesh_node m 1 a b c
mesh_node a 2 m
mesh_node b 3 m
mesh_node c 4 m
up a --lanes 3
for node in m b c; do up "$node"; done
all_reached() { reaches m 10.44.0.2 && reaches m 10.44.0.3 && reaches m 10.44.0.4; }
check "m reaches its three peers" within 10 all_reached

cores=$(nproc)
lanes=$((cores > 3 ? cores / 2 : 1))
tunnels() { in_node m ip -o -d link show | grep -c ' tun '; }
udp_sockets() { in_node "$1" ss -Hulnp | grep -c "pid=${pid[$1]},"; }
lanes_of() { meshd_show "$1" | sed -n 's/^  lanes: //p'; }
udp_ports() { in_node m ss -Huln | awk '{ sub(/.*:/, "", $4); print $4 }' | sort -u | tr '\n' ' '; }
check "m has one tunnel interface" test "$(tunnels)" = 1
check "m uses one UDP port" test "$(udp_ports)" = "51820 "
check "m holds one pair of UDP sockets per lane ($lanes)" test "$(udp_sockets m)" = $((2 * lanes))
check "and shows it" test "$(lanes_of m)" = "$lanes"
check "a has the three lanes it was told to have" test "$(udp_sockets a) $(lanes_of a)" = "6 3"
check "and 20 echoes through them, none lost" pings a 10.44.0.1 20
check "10 MB from a to m arrive intact" transfers a m 10.44.0.1 10
check "no number of lanes but a number is taken" fails in_node a "$MESHD" up --lanes 0 "$(config a)"

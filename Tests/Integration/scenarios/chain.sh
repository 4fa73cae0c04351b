# Three nodes, where the outer two share no underlay: M carries their packets inside the process.
#
#      a ───── veth ───── m ───── veth ───── b
#  10.44.0.1          10.44.0.2          10.44.0.3        each: one meshd, one interface, one UDP port
#  fd44::1            fd44::2            fd44::3          m: ip_forward=0 throughout

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a m b
link a m
link m b
mesh_node a 1 m
mesh_node m 2 a b
mesh_node b 3 m
forwarding() { in_node m cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding | tr '\n' ' '; }

check "a and b share no underlay" fails reaches a "$(underlay b m)"
for node in a m b; do up "$node"; done
check "a and b find each other through m" within 10 both_reach a b 10.44.0.1 10.44.0.3
check "IPv6 too" within 10 both_reach a b fd44::1 fd44::3
check "20 echoes, none lost" pings a 10.44.0.3 20
check "20 echoes over IPv6, none lost" pings b fd44::1 20
check "10 MB from a to b arrive intact" transfers a b 10.44.0.3 10
check "10 MB from b to a over IPv6 arrive intact" transfers b a fd44::1 10
check "traceroute shows m" path_is a 10.44.0.3 10.44.0.2 10.44.0.3
check "traceroute over IPv6 shows m" path_is b fd44::1 fd44::2 fd44::1
check "a has kernel routes to b, marked as Babel's" has_route a 10.44.0.3 42
check "of both families" has_route a fd44::3 42
check "meshd routes lists them" eval 'meshd_routes a | grep -q 10.44.0.3/32'
check "m's kernel never forwarded" test "$(forwarding)" = "0 0 "

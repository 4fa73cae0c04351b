# The MTU of a tunnel whose file names none is what fits into the interfaces that its datagrams leave by, as with wg-quick.
#
#   a ───────── b        9000 between them; c, with 1500, is a's default route
#   └─ c

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a b c
link a b
link a c
in_node a ip link set to-b mtu 9000
in_node b ip link set to-a mtu 9000

mtu_of() { in_node "$1" cat "/sys/class/net/$(device "$1")/mtu"; }
comes_up_with() { # NODE MTU
  up "$1" && mtu_of "$1" && [ "$(mtu_of "$1")" = "$2" ] && kill -TERM "${pid[$1]}" && stopped_within 2 "$1"
}

interface b "ListenPort = 51820" "Address = 10.44.0.2/32"
peer b a "AllowedIPs = 10.44.0.1/32"
check "b, without endpoint and default route, takes 1420" comes_up_with b 1420
in_node b ip -6 route add default dev to-a
check "and what its default route has room for, once it has one" comes_up_with b 8920

interface a "Address = 10.44.0.1/32"
peer a b "AllowedIPs = 10.44.0.2/32"
in_node a ip route add default via "$(underlay c a)"
check "a, with a default route of 1500, takes 1420" comes_up_with a 1420
interface a "Address = 10.44.0.1/32"
peer a b "AllowedIPs = 10.44.0.2/32" "Endpoint = $(underlay b a):51820"
check "and with an endpoint behind 9000 takes 8920" comes_up_with a 8920
in_node a ip link set to-b mtu 1300
check "but never less than 1280" comes_up_with a 1420
in_node a ip route delete default
check "though there be nothing larger" comes_up_with a 1280
in_node a ip link set to-b mtu 9000
interface a "Address = 10.44.0.1/32" "MTU = 1300"
peer a b "AllowedIPs = 10.44.0.2/32" "Endpoint = $(underlay b a):51820"
check "MTU = rules" comes_up_with a 1300

interface a "Address = 10.44.0.1/32"
peer a b "AllowedIPs = 10.44.0.2/32" "Endpoint = $(underlay b a):51820"
up b
up a
check "a packet of 8920 octets crosses whole" in_node a ping -n -q -c 1 -W 2 -M "do" -s 8892 10.44.0.2
check "10 MB arrive intact" transfers a b 10.44.0.2 10

# What the field's own statements ask of plain nodes, by their numbers; others are in the scenarios about their subject.
#
#   a ── b ── c ── d ── e       a chain; the kernels' multicast is off; d's kernel has no IPv6

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a b c d e
link a b
link b c
link c d
link d e
for node in a b c d e; do
  in_node "$node" sh -c 'for link in $(ls /sys/class/net | grep to-); do ip link set $link multicast off; done'
done
in_node d sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6'
mesh_node a 1 b
mesh_node b 2 a c
mesh_node c 3 b d
mesh_node d 4 c e
mesh_node e 5 d

check "S4.12 one static executable" eval 'file -L "$MESHD" 2>/dev/null | grep -q static || ! ldd "$MESHD"'
up a
up b
shaken() { in_node a wg show "$(device a)" latest-handshakes | grep -qv "0$"; }
check "a and b shake hands" within 5 shaken
cost() { meshd_show "$1" | grep -q "cost 96"; }
check "S1.1 and are neighbours within 2 s, without multicast" within 2 cost a
for node in c d e; do up "$node"; done
everybody_reaches_everybody() {
  local node number
  for node in a b c d e; do
    for number in 1 2 3 4 5; do reaches "$node" "10.44.0.$number" || return; done
  done
}
check "S2.5 every node of the chain reaches every other" within 20 everybody_reaches_everybody
check "S2.5 one interface" eval '[ "$(in_node c ip -br link | grep -c "^$tag")" = 1 ]'
check "S2.5 and one UDP port" eval '[ "$(in_node c ss -Hulpn | grep -c "pid=${pid[c]}")" -le 2 ]'
check "S1.7 nobody configured a link-local, a metric, an interface or a router-id" \
  fails grep -qiE "fe80|metric|router|interface " <(grep -v '^\[' "$(config c)")

# The device of plain WireGuard has them too, for daemons that run on top of it.
flags() { in_node a ip link show "$(device a)" | grep -o '<.*>'; }
for flag in POINTOPOINT MULTICAST NOARP; do
  check "S2.8 the interface shows $flag" eval "flags | grep -q $flag"
done
check "S2.2 no multicast group was joined but the kernel's own" eval \
  '! in_node a cat /proc/net/igmp6 | grep "$(device a)" | grep -qi "ff0200000000000000000000000100*06"'

expected=$("$MESHD" addr "$(key_of a)" | grep -o 'fe80::[0-9a-f:]*')
link_locals() { in_node a ip -6 -o addr show dev "$(device a)" scope link | awk '{ print $4 }'; }
check "S3.2 the interface has one link-local, that of its key" test "$(link_locals)" = "$expected/64"
check "S4.5 which others compute without having met it" eval \
  'meshd_show b | grep -q "babel: $expected "'
check "S3.2 d, whose kernel has no IPv6, is a neighbour all the same" both_reach c e 10.44.0.3 10.44.0.5
kill -TERM "${pid[a]}"
check "a ends" stopped_within 2 a
up a
check "S3.2 and has the same link-local in its next life" test "$(link_locals)" = "$expected/64"
check "a is back" within 10 reaches a 10.44.0.5

# Peers by the stock tool. a loses b and gets it again; the order of the allowed IPs is that of the command.
in_node a wg set "$(device a)" peer "$(key_of b)" remove
known() { meshd_routes "$1" | grep "^10.44.0.1/32" | grep -q installed; }
check "S2.1 a peer removed with wg set is out of the whole mesh within a second" within 1 fails known e
in_node a wg set "$(device a)" peer "$(key_of b)" endpoint "$(underlay b a):51820" \
  allowed-ips 10.77.0.0/24,10.44.0.2/32,10.44.0.1/32,fd44::2/128
check "S2.1, S4.6 one added with wg set is a neighbour within a second" within 1 cost a
check "and the whole mesh knows" within 2 known e
check "S2.3 its own addresses are the first" eval '[[ $(meshd_show a) == *"10.77.0.0/24, 10.44.0.2/32"* ]]'

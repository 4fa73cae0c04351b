# An exit node works for nodes that are not its neighbours: transit carries the default route without using it.
#
#   a (Exit = yes) ── m ── e ── w          e announces 0.0.0.0/0 and ::/0 and forwards what comes out of its interface
#   10.44.0.1             10.44.0.3        w is the world: 198.51.100.1 and 2001:db8:1::1, with a route back
#   c (Exit = x's key) ── m                x announces them too, later
#                         m ── x ── w

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a c m e x w
link a m
link c m
link m e
link m x
link e w
link x w
mesh_node a 1 m
mesh_node c 4 m
mesh_node m 2 a c e x
mesh_node e 3 m
mesh_node x 5 m
sed -i 's/^Babel = on$/&\nExit = yes/' "$(config a)"
sed -i "s|^Babel = on\$|&\nExit = $(key_of x)|" "$(config c)"
for exit in e x; do
  sed -i 's|^Babel = on$|&\nAnnounce = 0.0.0.0/0, ::/0|' "$(config "$exit")"
  in_node "$exit" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
  in_node "$exit" ip route add 198.51.100.0/24 via "$(underlay w "$exit")"
  in_node "$exit" ip -6 route add 2001:db8:1::/48 via "$(underlay w "$exit" 6)"
done
in_node w ip address add 198.51.100.1/32 dev lo
in_node w ip address add 2001:db8:1::1/128 dev lo nodad
in_node w ip route add 10.44.0.1/32 via "$(underlay e w)"
in_node w ip -6 route add fd44::1/128 via "$(underlay e w 6)"
in_node w ip route add 10.44.0.4/32 via "$(underlay x w)"
in_node w ip -6 route add fd44::4/128 via "$(underlay x w 6)"
# Both have a default route of their own, for the UDP packets.
in_node a ip route add default via "$(underlay m a)"
in_node c ip route add default via "$(underlay m c)"
untouched() { in_node a ip rule; in_node a ip -6 rule; in_node a ip route show table all proto 42; }
before=$(untouched)
for node in a c m e; do up "$node"; done

goes_to() { # NODE ADDRESS INTERFACE
  in_node "$1" ip route get "$2" | grep -q "dev $3"
}
check "a reaches e" within 20 reaches a 10.44.0.3
check "S4.1 a, whose neighbour is no exit, leaves by one" within 10 reaches a 198.51.100.1
check "IPv6 too" within 10 reaches a 2001:db8:1::1
check "all of it enters the tunnel" goes_to a 203.0.113.9 "$(device a)"
check "but not what is on the link" goes_to a "$(underlay m a)" to-m
mark=$(in_node a ip rule | sed -n 's/.*not from all fwmark \(0x[0-9a-f]*\).*/\1/p')
check "nor our own UDP packets, even to where others go through the tunnel" \
  eval 'in_node a ip route get 203.0.113.9 mark "$mark" | grep -q "dev to-m"'
check "m carries the default route" eval 'meshd_routes m | grep -q "^0.0.0.0/0"'
check "and does not use it" fails in_node m ip route get 203.0.113.9
up x
check "c reaches x" within 20 reaches c 10.44.0.5
check "c, which names x, does not leave by e, to which m would send it" fails reaches c 198.51.100.1
kill -TERM "${pid[e]}"
check "e goes: c leaves by x" within 10 reaches c 198.51.100.1
in_node w ip route replace 10.44.0.1/32 via "$(underlay x w)"
check "and so does a" within 10 reaches a 198.51.100.1

kill -TERM "${pid[a]}"
check "a ends" stopped_within 2 a
check "and takes its routes and rules along" test "$before" = "$(untouched)"
up a
check "a is out again" within 20 reaches a 198.51.100.1
{ kill -KILL "${pid[a]}" && wait "${pid[a]}"; } 2>/dev/null || true
check "a crashes" stopped_within 2 a
check "rules are left" fails test "$before" = "$(untouched)"
rm -f "$sockets/$(device a).sock"
up a
check "the next life works" within 20 reaches a 198.51.100.1
check "with one pair of rules for each family" eval '[ "$(in_node a ip rule | wc -l)" = 5 ]'
kill -TERM "${pid[a]}"
check "a ends" stopped_within 2 a
check "and nothing is left of either" test "$before" = "$(untouched)"

# What the host uses of what the mesh knows: nothing that is on its links, nothing that others have routed, and never for
# our own UDP packets.
#
#   a ───── b            b announces a prefix on a's other link, one that a has a route to, one with b's own endpoint in
#   │                    it, and one that nothing is wrong with
#   l (no meshd)

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a b l
link a b
link a l
lan=10.200.2.0/24
mesh_node a 1 b
mesh_node b 2 a
carrier=10.200.1.0/25 # b's endpoint is in it
sed -i "s|^Babel = on\$|&\nAnnounce = $lan, 10.200.2.128/25, 203.0.113.0/24, $carrier, 192.0.2.0/24, 2001:db8:7::/48|" \
  "$(config b)"
in_node a ip route add 203.0.113.0/24 via "$(underlay l a)" proto static
foreign=$(in_node a ip route show 203.0.113.0/24)
# b's own endpoint shall not be on the link, or there were nothing to see.
in_node a ip address flush dev to-b
in_node a ip address add "$(underlay a b)/32" dev to-b
in_node a ip route add default via "$(underlay b a)" dev to-b onlink
up a
up b

goes_to() { # ADDRESS INTERFACE [WORD…]
  in_node a ip route get "$1" "${@:3}" | grep -q "dev $2"
}
unused() { meshd_show a | grep "not used here: $1"; }
check "a reaches b" within 20 reaches a 10.44.0.2
check "an announced prefix is a route" within 5 goes_to 192.0.2.1 "$(device a)"
check "a's LAN is not captured" goes_to 10.200.2.77 to-l
check "nor a part of it" goes_to 10.200.2.200 to-l
check "which is shown" unused 10.200.2.128/25
check "the route of another is as it was" test "$foreign" = "$(in_node a ip route show 203.0.113.0/24)"
check "which is shown" unused 203.0.113.0/24
check "and logged once" eval '[ "$(grep -c "203.0.113.0/24 is not used" "$scratch/a/log")" = 1 ]'
check "all the same they are carried" eval 'meshd_routes a | grep -q "^203.0.113.0/24"'
check "what has b's endpoint in it leads into the tunnel" goes_to "$(underlay b a)" "$(device a)"
mark=$(in_node a ip rule | sed -n 's/.*not from all fwmark \(0x[0-9a-f]*\).*/\1/p')
check "but not for our own UDP packets" goes_to "$(underlay b a)" to-b mark "$mark"
check "20 echoes, none lost" pings a 10.44.0.2 20

in_node a ip route del 203.0.113.0/24
check "the other's route goes, ours comes" within 5 goes_to 203.0.113.1 "$(device a)"
check "and is no longer shown as unused" fails unused 203.0.113.0/24
in_node a ip address del "$(underlay a l)/24" dev to-l
check "the LAN goes, and is reached through the mesh" within 5 goes_to 10.200.2.77 "$(device a)"
in_node a ip address add "$(underlay a l)/24" dev to-l
check "it returns, and is local again" within 5 goes_to 10.200.2.77 to-l
in_node a ip route flush proto 42
check "somebody removes our routes: we make them again" within 5 goes_to 192.0.2.1 "$(device a)"
check "IPv6 too" within 5 has_route a 2001:db8:7::/48 42

# While a is stopped more happens than it can be told of; what we lose comes last.
kill -STOP "${pid[a]}"
for action in add del; do
  for ((i = 0; i < 20000; i++)); do
    echo "route $action blackhole 198.18.$((i / 250)).$((i % 250))/32"
  done | in_node a ip -batch -
done
in_node a ip route flush proto 42
kill -CONT "${pid[a]}"
check "news are lost, and so were our routes: we make them again" within 5 goes_to 192.0.2.1 "$(device a)"

in_node a "$MESHD" set "$(device a)" peer "$(key_of b)" remove
check "a removes b: b hears it at once" within 1 fails eval 'meshd_routes b | grep -q "^10.44.0.1/.*(installed)"'
check "S2.1 a's routes to it are gone" within 1 fails has_route a 10.44.0.2 42
kill -TERM "${pid[a]}"
check "a ends" stopped_within 2 a
check "no route of ours is left" test -z "$(in_node a ip route show table all proto 42)"

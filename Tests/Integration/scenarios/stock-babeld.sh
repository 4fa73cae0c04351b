# A stock neighbour needs nothing of ours: wireguard-go and babeld on a point-to-point interface, against a node with
# several peers, and through it to a further node.
#
#   s ─────────────── m ─────────────── f
#   wireguard-go      meshd             meshd
#   babeld            10.44.0.2         10.44.0.3
#   10.44.9.1         fd44::2           fd44::3
#   fd44:9::1         (peers s, f)

. "${BASH_SOURCE%/*}/../lib.sh"

nodes s m f
link s m
link m f

# s: everything by hand, as its documentation says.
stock_end s m fe80::1/64 10.44.9.1/32
in_node s ip address add fd44:9::1/128 dev lo nodad
start_babeld() {
  start s babeld -d 1 -I "$scratch/s/babeld.pid" -S "$scratch/s/babeld-state" \
    -C "interface $(device s) type tunnel" -C "redistribute local ip 10.44.9.0/24" \
    -C "redistribute local ip fd44:9::/64" -C "redistribute local deny"
}

mesh_node m 2 s f
mesh_node f 3 m
up m
up f
start_babeld

everyone_reaches_s() {
  reaches m 10.44.9.1 && reaches m fd44:9::1 && reaches f 10.44.9.1 && reaches f fd44:9::1
}
check "S1.8 the old recipe works: m and f reach s, both families" within 20 everyone_reaches_s
check "S1.2 s has babeld routes to m: IPv4" within 10 has_route s 10.44.0.2 babel
check "IPv6" within 10 has_route s fd44::2 babel
check "and to f, two hops away: IPv4" within 10 has_route s 10.44.0.3 babel
check "IPv6" within 10 has_route s fd44::3 babel
check "s reaches f over IPv4, none lost" in_node s ping -n -q -c 10 -i 0.1 -W 2 -I 10.44.9.1 10.44.0.3
check "s reaches f over IPv6, none lost" in_node s ping -n -q -c 10 -i 0.1 -W 2 -I fd44:9::1 fd44::3
knows_round_trips() { [ "$(in_node m "$MESHD" show "$(device m)" | grep -c "rtt [0-9]")" = 2 ]; }
check "m knows how far s and f are" within 20 knows_round_trips
babeld_knows() { # its tables go to its log
  kill -USR1 "${pid[s]}" && sleep 0.1 && grep -Eq "Neighbour .* rtt [0-9.]*[1-9]" "$scratch/s/log"
}
check "S3.4 and s, by our timestamps, how far m is" within 20 babeld_knows
check "5 MB from f to s arrive intact" transfers f s 10.44.9.1 5
check "5 MB from s to f over IPv6 arrive intact" transfers s f fd44::3 5

kill -TERM "${pid[s]}"
check "babeld ends and retracts: f has no route to s" within 10 fails has_route f 10.44.9.1 42
start_babeld
check "babeld returns and so does the route" within 30 everyone_reaches_s

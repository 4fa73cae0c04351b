# IPv4 across a node that has no IPv4 address (RFC 9229): its meshd neighbours get IPv4 routes by its link-local address,
# babeld gets the dummy next hop of RFC 7600 until it has shown that it needs none.
#
#   a ──────────── m ──────────── s
#   meshd          meshd          wireguard-go
#   10.44.0.1      fd44::2        babeld
#   fd44::1        (no IPv4)      10.44.9.1

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a m s
link a m
link m s

stock_end s m fe80::5/64 10.44.9.1/32
start s babeld -d 1 -I "$scratch/s/babeld.pid" -S "$scratch/s/babeld-state" \
  -C "interface $(device s) type tunnel" -C "redistribute local ip 10.44.9.0/24" -C "redistribute local deny"

mesh_node a 1 m
mesh_node m 2 a s
sed -i 's|^Address = .*|Address = fd44::2/128|' "$(config m)"
up a
up m

check "a has a route to s" within 20 has_route a 10.44.9.1 42
check "s has a route to a" within 20 has_route s 10.44.0.1 babel
check "they reach each other across m, none lost" \
  in_node s ping -n -q -c 10 -i 0.1 -W 2 -I 10.44.9.1 10.44.0.1

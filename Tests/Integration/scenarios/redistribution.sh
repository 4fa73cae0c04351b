# S4.4: the routes of a node's own kernel are announced while they are there, by their makers and by rules.
#
#      a ───── veth ───── b        192.168.7.0/24 is on a link of b's own, 10.8.0.0/16 and others behind it
#  10.44.0.1          10.44.0.2

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a b
link a b
in_node b ip link add lan type veth peer name far
in_node b ip link set far up
in_node b ip link set lan up
in_node b ip address add 192.168.7.1/24 dev lan
in_node b ip address add fd07::1/64 dev lan nodad
mesh_node a 1 b
mesh_node b 2 a
set_b() { # LINE…: b's file, with the lines in [Interface]
  mesh_node b 2 a
  add_to b "$@"
}
route_b() { in_node b ip route "$@"; }
reload_b() { in_node b "$MESHD" reload "$(config b)"; }
knows() { meshd_routes a | grep "^$1 .*(installed)"; }
metric_is() { knows "$1" | grep -q "^$1 *metric $2 "; }

set_b "Announce = connected, kernel static 77"
route_b add 10.8.0.0/16 via 192.168.7.9 proto static
up a
up b
check "a prefix on a link of b's" within 10 knows 192.168.7.0/24
check "of IPv6 too" within 2 knows fd07::/64
check "a static route" within 2 knows 10.8.0.0/16
check "is a kernel route at a" within 2 has_route a 10.8.0.0/16 42
check "what leads to the underlay too, since it is connected" knows 10.200.1.0/24
check "a sends packets there" pings a 192.168.7.1
check "no link-local prefix is announced" eval '! meshd_routes a | grep -E "^(fe80|ff00)"'

route_b add 10.9.0.0/16 via 192.168.7.9 proto static
check "a new route is announced within a second" within 1 knows 10.9.0.0/16
route_b del 10.9.0.0/16
check "and withdrawn within a second" within 1 fails knows 10.9.0.0/16
route_b add 10.9.0.0/16 via 192.168.7.9 proto 77
check "a protocol may be a number" within 1 knows 10.9.0.0/16
route_b replace 10.9.0.0/16 via 192.168.7.9 proto bird
check "a route that changes its maker is withdrawn" within 1 fails knows 10.9.0.0/16
route_b add 10.10.0.0/16 via 192.168.7.9 proto 42
route_b add 10.11.0.0/16 dev "$(device b)" proto static
route_b add blackhole 10.12.0.0/16 proto static
route_b add 10.13.0.0/16 via 192.168.7.9 proto static
check "the route made last is announced" within 1 knows 10.13.0.0/16
check "another Babel daemon's is not" fails knows 10.10.0.0/16
check "nor one into the mesh" fails knows 10.11.0.0/16
check "nor one that drops" fails knows 10.12.0.0/16
in_node b ip link set lan down
check "the link goes down: its routes are withdrawn, which the kernel does not tell" within 2 fails knows 10.8.0.0/16
check "its prefix too" within 1 fails knows 192.168.7.0/24
in_node b ip link set lan up
check "and announced when it is up again" within 2 knows 192.168.7.0/24

# Rules: first match, and what none matches stays at home.
route_b add 10.8.0.0/16 via 192.168.7.9 proto static
check "the static route is back" within 1 knows 10.8.0.0/16
set_b "Filter = redistribute ip 10.0.0.0/8 ge 17 deny" "Filter = redistribute ip 10.8.0.0/15 metric 300" \
  "Announce = kernel static"
route_b add 10.8.64.0/18 via 192.168.7.9 proto static
check "reload" reload_b
check "a rule gives a metric" within 2 metric_is 10.8.0.0/16 396
check "what no Announce lets in is withdrawn" within 1 fails knows 192.168.7.0/24
check "a longer prefix is denied" fails knows 10.8.64.0/18
set_b "Filter = redistribute ip 10.8.0.0/15 proto static metric 5" "Filter = redistribute local if lan"
check "rules alone redistribute, and addresses by name of their interface" reload_b
check "with the metric" within 2 metric_is 10.8.0.0/16 101
check "longer prefixes too, now" within 1 metric_is 10.8.64.0/18 101
check "the address of the interface" within 1 knows 192.168.7.1/32
in_node b ip address add 192.168.7.77/24 dev lan
check "a new one as well" within 1 knows 192.168.7.77/32
set_b
check "without any of it" reload_b
check "nothing is redistributed" within 2 fails knows 10.8.0.0/16
check "and the addresses of b remain" both_reach a b 10.44.0.1 10.44.0.2

# BIRD, as leaf and as the end of a chain: it ignores Hellos that are not multicast, and hears ours all the same (S1.3).
#
#   s ─────────────── m ─────────────── f
#   wireguard-go      meshd             meshd
#   BIRD              10.44.0.2         10.44.0.3
#   10.44.9.1         fd44::2           fd44::3
#   fd44:9::1                           and 2001:db8:5::/48 for packets from fd44::/16 only

. "${BASH_SOURCE%/*}/../lib.sh"

nodes s m f
link s m
link m f
stock_end s m fe80::5/64 10.44.9.1/32 fd44:9::1/128
mesh_node m 2 s f
mesh_node f 3 m
add_to f "Announce = 2001:db8:5::/48 from fd44::/16, 2001:db8:6::/48"

cat >"$scratch/s/bird.conf" <<END
router id 10.44.9.1;
protocol device { }
protocol direct { ipv4; ipv6; interface "$(device s)"; }
protocol kernel { ipv4 { import none; export where source = RTS_BABEL; }; }
protocol kernel { ipv6 { import none; export where source = RTS_BABEL; }; }
protocol babel mesh {
  interface "$(device s)" { type wired; };
  ipv4 { export where (source = RTS_DEVICE) || (source = RTS_BABEL); };
  ipv6 { export where (source = RTS_DEVICE) || (source = RTS_BABEL); };
}
END
bird_says() { in_node s birdc -s "$scratch/s/bird.control" "$@"; }
start_bird() { start s bird -f -c "$scratch/s/bird.conf" -s "$scratch/s/bird.control" -P "$scratch/s/bird.pid"; }
up m
up f
start_bird

both_ways() { reaches m 10.44.9.1 && reaches f fd44:9::1 && reaches f 10.44.9.1; }
check "S1.2 m and f reach s, both families" within 20 both_ways
check "S1.2 s has BIRD's routes to m: IPv4" within 10 has_route s 10.44.0.2 bird
check "IPv6" within 10 has_route s fd44::2 bird
check "and to f, two hops away: IPv4" within 10 has_route s 10.44.0.3 bird
check "IPv6" within 10 has_route s fd44::3 bird
check "s reaches f over IPv4, none lost" in_node s ping -n -q -c 10 -i 0.1 -W 2 -I 10.44.9.1 10.44.0.3
check "s reaches f over IPv6, none lost" in_node s ping -n -q -c 10 -i 0.1 -W 2 -I fd44:9::1 fd44::3
hears_every_hello() { bird_says show babel neighbors | grep -E "$(device s)" | grep -qE " (8|9|1[0-6]) "; }
check "S1.3 BIRD hears our Hellos" within 20 hears_every_hello
check "S4.3 s knows what is for everybody" has_route s 2001:db8:6::/48 bird
check "S4.3 and nothing of what is for some sources" fails has_route s 2001:db8:5::/48 bird
check "which m knows" eval 'meshd_routes m | grep -q "^2001:db8:5::/48 from fd44::/16"'

kill -TERM "${pid[s]}"
check "BIRD ends and retracts: f has no route to s" within 20 fails has_route f 10.44.9.1 42
start_bird
check "BIRD returns and so does the route" within 30 both_ways

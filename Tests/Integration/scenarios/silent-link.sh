# What fails without a word is noticed while packets are sent, and soon after if none are: by meshd, and by babeld.
#
#        b                     a–b falls silent; b's interface to c goes down; c has no route to a;
#      ╱   ╲                   s, a stock neighbour of c, falls silent; c dies
#     a ─── c ─── s
#          10.44.0.3          10.44.9.1, wireguard-go and babeld

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a b c s
emulated_link a b
link b c
link a c
emulated_link c s
mesh_node a 1 b c
mesh_node b 2 a c
mesh_node c 3 a b s
stock_end s c fe80::5/64 10.44.9.1/32
for node in a b c; do up "$node"; done
start s babeld -d 1 -I "$scratch/s/babeld.pid" -S "$scratch/s/babeld-state" -C "interface $(device s) type tunnel" \
  -C "redistribute local ip 10.44.9.0/24" -C "redistribute local deny"

straight() { leads a 10.44.0.2/32 b && leads b 10.44.0.1/32 a; }
round() { leads a 10.44.0.2/32 c && leads b 10.44.0.1/32 c; }
by_babeld() { in_node s ip route show 10.44.0.3 proto babel | grep -q " dev "; }

check "a and b have each other as next hop" within 10 straight
check "a reaches s" within 20 reaches a 10.44.9.1
check "babeld has a route to c" within 20 by_babeld
sleep 3

in_node a ping -n -q -i 0.02 -c 500 -W 1 10.44.0.2 >"$scratch/echoes" &
echoes=$!
sleep 1
impair a b both down
check "under traffic, both have left the silent link within 3 s" within 3 round
impair a b both up
check "they take it again" within 20 straight
wait "$echoes" || true
check "no second and a half of echoes was lost" awk '/received/ { exit $1 - $4 > 75 }' "$scratch/echoes"

sleep 3
impair a b both down
check "without traffic, within 5 s" within 5 round
impair a b both up
check "they take it again" within 60 straight

# Each on a link of its own: one that fails again and again is kept out for up to a minute.
in_node b ip link set to-c down
check "an interface that goes down is left within 2 s" within 2 leads b 10.44.0.3/32 a
in_node b ip link set to-c up
check "and taken again" within 20 leads b 10.44.0.3/32 c

in_node c ip route add unreachable "$(underlay a c)"
check "a neighbour without a route is left within 2 s" within 2 leads c 10.44.0.1/32 b
in_node c ip route delete unreachable "$(underlay a c)"
check "and taken again" within 20 leads c 10.44.0.1/32 a

in_node a ping -n -q -i 0.02 -c 500 -W 1 10.44.9.1 >"$scratch/echoes" &
echoes=$!
sleep 1
impair c s both down
check "under traffic, a stock neighbour that falls silent is left within 4 s" \
  within 4 fails leads c 10.44.9.1/32 s
impair c s both up
wait "$echoes" || true
check "it is reached again" within 40 reaches a 10.44.9.1
check "and reaches c" within 40 by_babeld
kill -KILL "${pid[c]}" && wait "${pid[c]}" 2>/dev/null || true
check "babeld notices within 6 s that c is dead" within 6 fails by_babeld

# Filters in babeld's language: what comes in, what goes out, at what metric; changed at run time.
#
#      a ───── veth ───── m ───── veth ───── b
#  10.44.0.1          10.44.0.2          10.44.0.3, 10.5.0.0/16, 10.6.1.0/24

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a m b
link a m
link m b
mesh_node a 1 m
mesh_node m 2 a b
mesh_node b 3 m
add_to b "Announce = 10.5.0.0/16, 10.6.1.0/24 metric 40"
filter() { # NODE RULE…: the node's file, with rules in [Interface]
  local node=$1
  shift
  case $node in a) mesh_node a 1 m ;; m) mesh_node m 2 a b ;; esac
  add_to "$node" "${@/#/Filter = }"
}
reload() { in_node "$1" "$MESHD" reload "$(config "$1")"; }
knows() { meshd_routes "$1" | grep "^$2 .*(installed)"; }
metric_is() { knows "$1" "$2" | grep -q "^$2 *metric $3 "; }

filter a "in ip 10.6.0.0/16 deny"
for node in a m b; do up "$node"; done
check "a prefix and its metric cross the mesh" within 10 metric_is a 10.5.0.0/16 192
check "m knows the other, with the metric it is announced at" metric_is m 10.6.1.0/24 136
check "a has denied it" fails knows a 10.6.1.0/24
check "and has no kernel route to it" fails has_route a 10.6.1.0/24 42

filter a "in ip 10.0.0.0/8 ge 16 le 24 metric 1000"
check "reload" reload a
check "what was denied is asked for and used, and dearer" within 2 metric_is a 10.6.1.0/24 1232
check "what was known is dearer at once" metric_is a 10.5.0.0/16 1192
check "addresses of nodes are not meant" metric_is a 10.44.0.3/32 192

# The rule under [Peer] is for that peer alone, and comes first.
filter m "out ip 10.5.0.0/16 metric 7"
sed -i "\\|^PublicKey = $(key_of a)|a Filter = out ip 10.6.0.0/16 deny" "$(config m)"
check "reload" reload m
check "m no longer tells a of one prefix" within 2 fails knows a 10.6.1.0/24
check "and knows it itself" knows m 10.6.1.0/24
check "the other is dearer by what m adds" within 2 metric_is a 10.5.0.0/16 1199
filter a
filter m
check "reload" eval 'reload a && reload m'
check "without rules all is as announced" within 2 metric_is a 10.6.1.0/24 232
check "the other one too" within 30 metric_is a 10.5.0.0/16 192

echo "Filter = in ip 10.6.0.0/16 dney" >>"$(config a)"
refused() { # COMMAND…: one line with file, line and column
  local words
  ! words=$("$@" 2>&1) && echo "$words" &&
    [ "$words" = "$(config a):$(wc -l <"$(config a)"):28: \`dney\` is no selector and no action; use ip, eq, ge, le, src-ip, src-eq, src-ge, src-le, neigh, id, proto, local, if, allow, deny or metric" ]
}
check "meshd check names the word that is wrong" refused in_node a "$MESHD" check "$(config a)"
check "reload refuses it" fails reload a
check "and changes nothing" knows a 10.6.1.0/24

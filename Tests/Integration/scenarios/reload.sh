# A changed file is applied without touching what did not change; a broken one changes nothing; an end is a clean end.
#
#      a ───── m ───── b            c joins later, as a peer of m:     m ───── c

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a m b c
link a m
link m b
link m c
mesh_node a 1 m
mesh_node m 2 a b
mesh_node b 3 m
mesh_node c 4 m
for node in a m b c; do up "$node"; done
check "the chain works" within 10 both_reach a b 10.44.0.1 10.44.0.3
check "c is not known to m" fails reaches c 10.44.0.2

sessions() { in_node m wg show "$(device m)" latest-handshakes | grep -v "$(key_of c)"; }
reload() { in_node m "$MESHD" reload "$(config m)"; }
before=$(sessions)
in_node b ping -n -q -i 0.05 -c 60 -W 2 10.44.0.1 >"$scratch/echoes" &
mesh_node m 2 a b c
check "meshd reload takes the new peer in" reload
check "a and c reach each other" within 10 both_reach a c 10.44.0.1 10.44.0.4
check "the echoes from b to a were not disturbed" within 10 grep -q " 0% packet loss" "$scratch/echoes"
check "the sessions of a and b are the same" test "$before" = "$(sessions)"

echo "Announse = 10.1.0.0/16" >>"$(config m)"
refused() {
  local words
  ! words=$(reload 2>&1) && echo "$words" && [[ $words == *"$(device m).conf:"*[0-9]* ]]
}
check "a broken file is refused with its name and line" refused
check "and changes nothing" both_reach a c 10.44.0.1 10.44.0.4
mesh_node m 2 a b
kill -HUP "${pid[m]}"
check "SIGHUP applies the file: c is gone again" within 5 fails reaches a 10.44.0.4
check "the sessions of a and b are still the same" test "$before" = "$(sessions)"

# The end of b: retractions reach a at once, not after missed Hellos.
kill -TERM "${pid[b]}"
check "SIGTERM ends b within a second" stopped_within 1 b
check "its routes are gone" fails has_route b 10.44.0.1 42
check "its socket is gone" fails test -e "$sockets/$(device b).sock"
check "its interface is gone" fails in_node b ip link show "$(device b)"
# The prefix is held for a while, so its kernel route stays; but packets are refused at once instead of lost.
has_installed() { meshd_routes "$1" | grep -q "^$2/.*(installed)"; }
check "a knows within a second" within 1 fails has_installed a 10.44.0.3
check "nothing is left in the namespace" is_idle b

# In the background, and down by its verb.
check "meshd up returns when the interface is up" in_node b "$MESHD" up --state-dir "$scratch/b" "$(config b)"
check "wg can talk to it at once" in_node b wg show "$(device b)"
check "b is back in the mesh" within 10 both_reach a b 10.44.0.1 10.44.0.3
check "meshd down" in_node b "$MESHD" down "$(config b)"
check "leaves nothing" within 1 is_idle b

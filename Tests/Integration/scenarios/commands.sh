# The small commands: keys as `wg` makes them, and what asks or changes a running node.
#
#   a ───────── b

. "${BASH_SOURCE%/*}/../lib.sh"

key=$("$MESHD" genkey)
check "genkey makes what wg takes" eval 'wg pubkey <<<"$key"'
check "pubkey says what wg says" test "$(wg pubkey <<<"$key")" = "$("$MESHD" pubkey <<<"$key")"
check "genpsk makes 44 characters" test "$("$MESHD" genpsk | wc -c)" = 45
for input in "" "short" "$key$key" "$(tr a-z A-Z <<<"$key" | head -c 43)"; do
  check "pubkey refuses '$input'" fails eval '"$MESHD" pubkey <<<"$input"'
done

nodes a b
link a b
mesh_node a 1 b
mesh_node b 2 a
up a
up b
check "the mesh works" within 10 both_reach a b 10.44.0.1 10.44.0.2

derived=$("$MESHD" addr "$(key_of a)" | sed -n 's/^link-local: //p')
check "addr prints the address the interface has" eval 'in_node a ip -6 address show dev "$(device a)" | grep -q "$derived"'
check "and the address b knows it by" eval 'meshd_show b | grep -q "babel: $derived "'
check "show without an argument lists it" eval 'in_node a "$MESHD" show | grep -q "interface: $(device a)"'
check "show in the form of wg" test "$(in_node a wg show "$(device a)" dump | head -1)" = \
  "$(meshd_show a dump | head -1)"
check "show --json is JSON" eval 'meshd_show a --json | python3 -m json.tool'
check "showconf is what wg says" test "$(in_node a wg showconf "$(device a)")" = \
  "$(in_node a "$MESHD" showconf "$(device a)")"

check "check finds nothing wrong" "$MESHD" check "$(config a)"
check "strip gives what wg setconf takes" eval '"$MESHD" strip "$(config a)" >"$scratch/stripped" && ! grep -q Babel "$scratch/stripped"'
check "set changes a peer" in_node a "$MESHD" set "$(device a)" peer "$(key_of b)" persistent-keepalive 7
check "and wg sees it" eval 'in_node a wg show "$(device a)" persistent-keepalive | grep -q "7$"'
check "save writes it down" in_node a "$MESHD" save "$(config a)"
check "in the file" grep -q "PersistentKeepalive = 7" "$(config a)"
check "with what was there before" grep -q "Babel = on" "$(config a)"
check "which is still a good file" "$MESHD" check "$(config a)"
check "set babel off ends the neighbourship" in_node a "$MESHD" set "$(device a)" peer "$(key_of b)" babel off
neighbour_of_a() { meshd_show a | grep babel:; }
check "which show no longer has" within 2 fails neighbour_of_a
check "set babel on brings it back" in_node a "$MESHD" set "$(device a)" peer "$(key_of b)" babel on
check "and the route" within 5 has_route a 10.44.0.2 42

for verb in up down show set save strip check reload neighbours routes xroutes monitor explain addr genkey pubkey genpsk wg; do
  check "$verb --help" eval '"$MESHD" $verb --help | grep -q "^Usage: meshd $verb"'
done
check "an unknown interface is one sentence" eval '! "$MESHD" show nosuch 2>"$scratch/words" && [ "$(wc -l <"$scratch/words")" = 1 ]'

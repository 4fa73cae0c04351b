# What an operator sees: the verbs that show Babel's tables, a link that fails while they look, and the reason afterwards.
#
#        a ────── b
#         \      /          cut: a ─╳─ b
#          \    /           10.44.0.1 … 10.44.0.3
#            c             b and c announce 10.99.0.0/24

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a b c
link a b
link b c
link c a
mesh_node a 1 b c
sed -i "/^Babel/a MonitorSocket = on, 33123" "$(config a)"
mesh_node b 2 a c
mesh_node c 3 b a
for node in b c; do sed -i "/^Babel/a Announce = 10.99.0.0/24" "$(config "$node")"; done
up a
daemon=${pid[a]}
up b

meshd() { in_node a "$MESHD" "$@"; }
reader() { in_node a "${BASH_SOURCE%/*}/../babeld-reader" "$@"; }
monitor_socket=$sockets/$(device a).babel
a=$(device a)
python_says() { # EXPRESSION over `it`, the JSON on standard input, and `key`, a peer's by name
  python3 -c '
import json, sys
it = json.load(sys.stdin)
key = dict(a=sys.argv[2], b=sys.argv[3], c=sys.argv[4])
sys.exit(not eval("(" + sys.argv[1] + ")"))' "$1" "$(key_of a)" "$(key_of b)" "$(key_of c)"
}
json_says() { # EXPRESSION VERB…
  local expression=$1
  shift
  meshd "$@" --json | python_says "$expression"
}

check "a and b reach each other" within 20 both_reach a b 10.44.0.1 10.44.0.2
check "b's route is there first" within 20 json_says 'it["peer"] == key["b"]' explain 10.99.0.1 "$a"
up c
check "a reaches b directly, and c is an alternative" within 20 json_says \
  '[(r["state"], r["via"] == key["b"], r["verdict"]["name"]) for r in it if r["prefix"] == "10.44.0.2/32"] ==
    [("selected", True, "selected"), ("alternative", False, "unfeasible")]' routes --all "$a"
check "a reaches 10.99.0.0/24 by b or c, equally well" within 20 json_says \
  'sorted((r["state"], r["verdict"].get("by")) for r in it if r["prefix"] == "10.99.0.0/24") ==
    [("alternative", 0), ("selected", None)]' routes --all "$a"
check "still by b" json_says 'it["peer"] == key["b"]' explain 10.99.0.1 "$a"

# Each verb, for people and for programs.
check "neighbours" eval 'meshd neighbours "$a" | grep -q "^$(key_of b) address fe80::.* reach ....* cost 96 routes .* ago (meshd)$"'
check "neighbours --json" json_says '{n["publicKey"] for n in it} == {key["b"], key["c"]} and
  all(n["up"] and n["meshd"] and n["cost"] == 96 and n["heard"] < 3 for n in it)' neighbours "$a"
check "routes" eval 'meshd routes "$a" | grep -q "^10.44.0.2/32 metric 96 refmetric 0 .* (installed)$"'
check "without alternatives" json_says 'it and all(r["state"] == "selected" for r in it)' routes "$a"
check "routes --all" eval 'meshd routes --all "$a" | grep -q "^10.44.0.2/32 metric 192 .* via $(key_of c) (unfeasible: needs a metric below 96 at seqno [0-9]*, or a newer seqno)$"'
check "xroutes" eval 'meshd xroutes "$a" | grep -q "^10.44.0.1/32 metric 0$"'
check "xroutes --json" json_says '[x["prefix"] for x in it] == ["10.44.0.1/32", "fd44::1/128"]' xroutes "$a"
check "explain" eval 'meshd explain 10.44.0.2 "$a" | grep -q "goes: to $(key_of b) at $(underlay b a):51820$"'
check "explain --json" json_says 'it["peer"] == key["b"] and it["because"] == "Babel'"'"'s selected route" and
  {p["publicKey"]: p["accepted"] for p in it["peers"]} == {key["b"]: True, key["c"]: True}' explain 10.44.0.2 "$a"
check "nobody may use our own address" json_says 'it["target"] == "local" and
  {p["refusal"] for p in it["peers"]} == {"martian source"}' explain 10.44.0.1 "$a"
check "an unknown address goes nowhere" json_says 'it["target"] == "none" and it["prefix"] is None' explain 192.0.2.1 "$a"

# The interface may be left out where there is but one.
mkdir "$scratch/one" "$scratch/none"
ln -s "$sockets/$a.sock" "$scratch/one/$a.sock"
check "one interface needs no name" eval 'meshd routes --socket-dir "$scratch/one" | grep -q installed'
complains() { # SENTENCE VERB…: on one line, with a failure
  local sentence=$1
  shift
  ! meshd "$@" 2>"$scratch/words" && [ "$(wc -l <"$scratch/words")" = 1 ] && grep -q "$sentence" "$scratch/words"
}
check "none is one sentence" complains "No interface is up" routes --socket-dir "$scratch/none"
check "two as well" eval 'ln -s "$sockets/$(device b).sock" "$scratch/one/" && complains "name one of them: $a $(device b)" \
  neighbours --socket-dir "$scratch/one"'
for verb in neighbours routes xroutes monitor "explain ::1"; do
  check "$verb: no such interface" complains "No such device" $verb "${tag}x"
done
start a "$MESHD" wg -f "${tag}w"
within 5 test -S "$sockets/${tag}w.sock"
check "an interface without Babel says so" complains "does not speak Babel" routes "${tag}w"
if command -v wireguard-go >/dev/null; then
  start a wireguard-go -f "${tag}g"
  within 5 test -S "$sockets/${tag}g.sock"
  check "another daemon is recognised" complains "its daemon " neighbours "${tag}g"
  check "also by monitor" complains "its daemon " monitor "${tag}g"
fi
check "no address" complains "is not an address" explain nowhere "$a"

# babeld's protocol, by socket and by port.
for place in "$monitor_socket" 33123; do
  check "a reader of babeld's protocol understands $place" eval 'reader dump "$place" | python_says "
    sorted(x[\"prefix\"] for x in it[\"xroute\"].values()) == [\"10.44.0.1/32\", \"fd44::1/128\"]
    and len(it[\"neighbour\"]) == 2 and it[\"interface\"][\"$a\"][\"up\"] == \"true\"
    and sorted(r[\"metric\"] for r in it[\"route\"].values() if r[\"prefix\"] == \"10.44.0.2/32\") == [\"192\", \"96\"]"'
done
check "the socket is ours alone" test "$(stat -c %a "$monitor_socket")" = 600
says() { # LINE: the answers to it, after the greeting
  (printf '%s\n' "$1" quit) | in_node a socat -t 2 - "UNIX-CONNECT:$monitor_socket" | sed '1,5d'
}
check "what would change babeld is refused" test "$(says 'interface eth0')" = bad
check "a comment is not" test "$(says '# nothing')" = ok

# The reader is no kinder to us than to babeld itself.
start c babeld -g "$scratch/c.babeld" -I "$scratch/c/babeld.pid" -S "$scratch/c/babeld-state" to-a
check "the reader understands babeld too" within 5 reader dump "$scratch/c.babeld"

# A client that never reads holds up nobody.
start a "${BASH_SOURCE%/*}/../babeld-reader" stall "$monitor_socket"
check "a stalled reader does not disturb others" eval 'reader dump 33123 >/dev/null && meshd routes "$a" >/dev/null'
check "for three seconds" pings a 10.44.0.2 30
check "and no neighbour is lost" fails grep -q "neighbour down" "$scratch/a/log"

# A link fails while they look.
start a "$MESHD" monitor "$a"
events=$scratch/a/log
start a sh -c "'$MESHD' monitor --json '$a' >'$scratch/events'"
start a "${BASH_SOURCE%/*}/../babeld-reader" monitor "$monitor_socket" "$scratch/tables"
check "all monitors have begun" within 5 eval 'grep -q " monitoring$" "$events" && grep -q monitoring "$scratch/events" && test -s "$scratch/tables"'
sever a b
check "a and b reach each other without their link" within 20 both_reach a b 10.44.0.1 10.44.0.2
switch=" switch 10.99.0.0/24 from $(key_of b) metric 65535 to $(key_of c) metric 96: link down$"
check "monitor tells the switch and its reason" within 2 grep -q "$switch" "$events"
check "and the neighbour's end" within 2 grep -q " neighbour down $(key_of b)$" "$events"
all_events_say() {
  python3 -c '
import json, sys
events = [json.loads(line) for line in open(sys.argv[1])]
switches = [e for e in events if e["event"] == "switch" and e["prefix"] == "10.44.0.2/32"]
assert [s["reason"] for s in switches] == ["link down", "route found"] and switches[1]["to"] == sys.argv[2], switches
changes = [e for e in events if e["event"] == "route" and e["prefix"] == "10.44.0.2/32"]
assert any(e["change"] == "change" and e["state"] == "selected" and e["via"] == sys.argv[2] for e in changes), changes
' "$scratch/events" "$(key_of c)"
}
check "each line of --json is an object that says the same" within 2 all_events_say
check "explain names the reason afterwards" json_says 'it["peer"] == key["c"] and it["switches"][0]["reason"] == "link down"
  and it["switches"][0]["from"] == key["b"] and it["switches"][0]["age"] < 30 and
  {r["verdict"]["name"] for r in it["routes"]} == {"selected", "link down"}' explain 10.99.0.1 "$a"
check "and so it does for people" eval 'meshd explain 10.99.0.1 "$a" | grep -q "s ago: from $(key_of b) .*: link down$"'
check "where the other way was unfeasible, it was found later" json_says '[s["reason"] for s in it["switches"][:2]] ==
  ["route found", "link down"]' explain 10.44.0.2 "$a"
followed() {
  python_says '[(r["installed"], r["metric"]) for r in sorted(it["route"].values(), key=lambda r: r["metric"])
    if r["prefix"] == "10.44.0.2/32"] == [("yes", "192"), ("no", "65535")]' <"$scratch/tables"
}
check "the reader of babeld's protocol has followed" within 5 followed

mend a b
check "the link returns, and the direct path is taken" within 60 path_is a 10.44.0.2 10.44.0.2
check "because it is better, says explain" within 2 json_says 'it["switches"][0]["reason"] == "better metric"' explain 10.44.0.2 "$a"

# The place of the socket may change while the node runs.
sed -i "s|^MonitorSocket = .*|MonitorSocket = $scratch/babel|" "$(config a)"
check "reload moves the socket" meshd reload "$(config a)"
check "to the new place" eval 'reader dump "$scratch/babel" >/dev/null && ! test -e "$monitor_socket"'
sed -i "s|^MonitorSocket = .*|MonitorSocket = /nowhere/at/all|" "$(config a)"
check "a place that cannot be is refused" complains "failed in bind(/nowhere/at/all)" reload "$(config a)"
check "and the old one kept" eval 'reader dump "$scratch/babel" >/dev/null'
kill -TERM "$daemon"
check "the end removes the socket" within 5 fails test -e "$scratch/babel"

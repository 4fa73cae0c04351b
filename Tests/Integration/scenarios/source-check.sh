# Which sources a peer may send from, in each mode of RPF: a sends to m from addresses that are not its own.
#
#   a ───────── m ───────── b       a announces 10.9.0.0/16 and hears of nothing but 10.44.0.0/16
#   10.44.0.1   10.44.0.2   10.44.0.3
#               10.7.0.0/16 10.9.1.0/24

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a m b
link a m
link m b
mesh_node a 1 m
echo "Accept = 10.44.0.0/16, fd44::/16" >>"$(config a)"
sed -i '/^Babel/a Announce = 10.9.0.0/16' "$(config a)"
mesh_node b 3 m
sed -i '/^Babel/a Announce = 10.9.1.0/24' "$(config b)"
mesh_node m 2 a b
sed -i '/^Babel/a Announce = 10.7.0.0/16' "$(config m)"
for node in a m b; do up "$node"; done
check "a and b reach each other" within 10 both_reach a b 10.44.0.1 10.44.0.3
check "m knows what b announces" within 10 has_route m 10.9.1.0/24 42
in_node m sysctl -q net.ipv4.conf.all.rp_filter=0 net.ipv4.conf."$(device m)".rp_filter=0
for address in 10.7.0.5 10.9.0.5 10.9.1.5 10.44.0.3 10.99.0.5; do
  in_node a ip address add "$address/32" dev "$(device a)"
done

received() { # TYPE: ICMP messages that m's host has seen
  in_node m cat /proc/net/snmp | awk -v name="InType$1" '
    $1 == "IcmpMsg:" && !n { for (i = 2; i <= NF; i++) if ($i == name) n = i; next_line = 1; next }
    $1 == "IcmpMsg:" && next_line { print n ? $n : 0; exit }' | grep . || echo 0
}
drops() { # as REASON=COUNT, of what was refused for its source
  meshd_show m --json | python3 -c '
import json, sys
for reason, count in json.load(sys.stdin)[0]["drops"].items():
    if "source" in reason: print(f"{reason}={count}")' | sort
}
# Five echo requests from a stolen address: what becomes of them.
verdict() { # SOURCE
  local before echoes
  before=$(drops)
  echoes=$(received 8)
  in_node a ping -n -q -c 5 -i 0.05 -W 0.3 -I "$1" 10.44.0.2 >/dev/null || true
  [ $(($(received 8) - echoes)) != 5 ] || echo passes
  comm -13 <(echo "$before") <(drops) | sed 's/=.*//'
}
verdict_is() { # SOURCE VERDICT
  local found
  found=$(verdict "$1")
  echo "the verdict is: $found"
  [ "$found" = "$2" ]
}
choose() { # MODE
  sed -i "/^RPF/d; /^Babel/a RPF = $1" "$(config m)"
  in_node m "$MESHD" reload "$(config m)"
}
expect() { # MODE VERDICT…: for an address of m's, of a's, of b's network, of b itself, and of nobody
  local mode=$1 address
  shift
  check "RPF = $mode" choose "$mode"
  for address in 10.7.0.5 10.9.0.5 10.9.1.5 10.44.0.3 10.99.0.5; do
    check "from $address: $1" verdict_is "$address" "$1"
    shift
  done
}
expect anchored "disallowed source" passes "disallowed source" passes "unknown source"
expect covering "disallowed source" passes passes passes "unknown source"
expect strict "disallowed source" passes "disallowed source" "disallowed source" "unknown source"
expect off passes passes passes passes passes

# ICMP errors: time exceeded, from an address that nobody announces.
errors() { # COUNT
  local number
  for ((number = 0; number < $1; number++)); do printf '\x0b\0\xf4\xff%032d' 0 | tr 0 '\0'; done >"$scratch/errors"
  in_node a socat -u -b 36 "OPEN:$scratch/errors" IP4-SENDTO:10.44.0.2:1,bind=10.99.0.5
}
check "RPF = anchored again" choose anchored
before=$(received 11)
check "20 ICMP errors are sent from an unknown source" errors 20
came_in() { [ $(($(received 11) - before)) = "$1" ]; }
check "and all come in" within 2 came_in 20
refused=$(drops)
before=$(received 11)
check "5000 more at once" errors 5000
are_limited() {
  local passed=$(($(received 11) - before))
  echo "$passed came in; dropped: $(drops)"
  [ "$passed" -gt 0 ] && [ "$passed" -lt 5000 ] && [ "$(drops)" != "$refused" ]
}
check "exceed the limit, and what does not come in is counted" are_limited

# In every mode nothing passes from outside `Accept`.
mesh_node m 2 a b
sed -i "/$(key_of a | sed 's|[/+]|.|g')/a Accept = 10.44.0.1/32, fd44::1/128" "$(config m)"
for mode in anchored covering strict off; do
  check "RPF = $mode with Accept" choose "$mode"
  check "from a itself" reaches a 10.44.0.2
  check "from b's address: source outside Accept" verdict_is 10.44.0.3 "source outside Accept"
done

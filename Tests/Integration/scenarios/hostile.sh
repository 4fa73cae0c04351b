# A member of the mesh announces everybody's prefixes, more-specifics, default routes with metric 0 and wild sequence
# numbers, and 100 000 prefixes of its own: it gets nothing outside its `Accept`, and no traffic of a prefix that another
# peer owns, with `Accept` and without.
#
#   l ─────────────── m ────── o        o owns 10.44.0.3, fd44::3 and 10.50.0.0/16; f is behind o
#   wireguard-go      meshd    meshd
#   babel-liar                 └────── f
#   10.66.0.1

. "${BASH_SOURCE%/*}/../lib.sh"

nodes l m o f
link l m
link m o
link o f
stock_interface l m fe80::66/64 10.66.0.1/32 fd66::1/128
mesh_node f 4 o
mesh_node o 3 m f
add_to o "Announce = 10.50.0.0/16"
configure_m() { # LINE…: for the liar
  mesh_node m 2
  peer m o "Endpoint = $(underlay o m):51820" "AllowedIPs = 10.44.0.3/32, fd44::3/128, 10.50.0.0/16"
  peer m f "AllowedIPs = 10.44.0.4/32, fd44::4/128"
  peer m l "$@"
}
configure_m "AllowedIPs = 10.66.0.1/32" "Accept = 10.66.0.0/16, fd66::/16"
for node in m o f; do up "$node"; done
everybody() { reaches m 10.44.0.3 && reaches m fd44::4 && reaches f 10.44.0.2 && reaches o fd44::2; }
check "the others reach each other" within 10 everybody

rss() { awk '$1 == "VmRSS:" { print $2 }' "/proc/${pid[m]}/status"; }
learned() { meshd_routes m --all --json | python3 -c '
import ipaddress, json, sys
key, accepted = sys.argv[1], [ipaddress.ip_network(word) for word in sys.argv[2:]]
routes = [ipaddress.ip_network(route["prefix"]) for route in json.load(sys.stdin)
          if route["via"] == key]
inside = [r for r in routes if any(r.version == a.version and r.subnet_of(a) for a in accepted)]
print(len(inside), len(routes) - len(inside))' "$(key_of l)" "$@"; }
lie() { start l python3 "${BASH_SOURCE[0]%/*}/../babel-liar" "$(stock_device l m)" 100000 10.44.0.3/32 fd44::3/128 10.44.0.4/32 \
  fd44::4/128 10.50.0.0/16 10.44.0.2/32 fd44::2/128 10.44.0.0/31 10.66.0.0/16; }
has_said() { grep -q "^said" "$scratch/l/log"; }
bounded() { # what it has inside its `Accept`, within the limit, and nothing outside
  local inside outside
  read -r inside outside <<<"$(learned 10.66.0.0/16 fd66::/16)"
  echo "$inside inside, $outside outside"
  [ "$inside" -gt 100 ] && [ "$inside" -le 10000 ] && [ "$outside" = 0 ]
}
owned_stays() { path_is f 10.44.0.2 10.44.0.3 10.44.0.2 && path_is m 10.44.0.4 10.44.0.3 10.44.0.4; }
no_default() { ! in_node m ip route show | grep -qE "^(default|0\.0\.0\.0)" && ! in_node m ip -6 route show | grep -qE "^default"; }

before=$(rss)
in_node f ping -n -q -i 0.05 -c 200 10.44.0.2 >"$scratch/ping" &
pinging=$!
lie
check "it says all it has to say" within 60 has_said
check "it gets what is inside its Accept, within the limit, and nothing else" within 5 bounded
check "m has no default route of it" no_default
check "paths to what others own are as they were" owned_stays
wait $pinging || true
check "no packet between the others was lost meanwhile" grep -q " 0% packet loss" "$scratch/ping"
check "m has grown by less than 32 MB" test $(($(rss) - before)) -lt 32768
kill -TERM "${pid[l]}"
check "it goes, and m forgets it" within 30 eval '[ "$(learned ::/0 0.0.0.0/0)" = "0 0" ]'

# Without `Accept` it may announce what nobody owns, and still not what somebody does.
configure_m
check "m takes it in without Accept" in_node m "$MESHD" reload "$(config m)"
: >"$scratch/l/log"
lie
check "it says all again" within 60 has_said
owners_keep() { # no route of the liar is used for what m or another peer owns
  meshd_routes m --json | python3 -c '
import json, sys
owned = {"10.44.0.3/32", "fd44::3/128", "10.44.0.4/32", "fd44::4/128", "10.50.0.0/16", "10.44.0.2/32", "fd44::2/128"}
sys.exit(any(route["prefix"] in owned and route["via"] == sys.argv[1] for route in json.load(sys.stdin)))
' "$(key_of l)"
}
check "what others own does not go to it" owners_keep
check "nor do the paths" owned_stays
check "the others reach each other" everybody
check "m has grown by less than 48 MB" test $(($(rss) - before)) -lt 49152

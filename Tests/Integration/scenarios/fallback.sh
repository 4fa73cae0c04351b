# A device refuses trains of datagrams: the socket of that family goes on without them, alone, and says so once.
#
#   a ───────── b         IPv4 underlay, then IPv6
#
# Linux before 6.11 answers UDP_SEGMENT with EIO on a device without checksum offload; later ones compute the checksum, so
# strace plays the older kernel.

. "${BASH_SOURCE%/*}/../lib.sh"
case $MESHD in *wireguard-go) skip "looks at meshd's own show" ;; esac

nodes a b
link a b
interface a
peer a b "Endpoint = $(underlay b a):51820" "AllowedIPs = 10.99.0.2/32"
interface b "ListenPort = 51820"
peer b a "AllowedIPs = 10.99.0.1/32"
LOG_LEVEL=debug start a "$MESHD" wg -f "$(device a)"
within 5 test -S "$sockets/$(device a).sock"
wireguard b ours
configure b 10.99.0.2/24
configure a 10.99.0.1/24

shows() { meshd_show a | tee /dev/stderr | grep -q "^  $1: .*$2"; }
json_says() { # PLACE NAME true|false
  meshd_show a --json | python3 -c '
import json, sys
place, name, value = sys.argv[1:]
sys.exit(json.load(sys.stdin)[0]["offloads"][place][name] != (value == "true"))' "$@"
}
warnings() { grep -c "going on without an offload" "$scratch/a/log" || true; }

check "a pings b" pings a 10.99.0.2
check "show tells the number of lanes" shows lanes "$(($(nproc) > 3 ? $(nproc) / 2 : 1))"
check "and the offloads in use" shows offloads "ipv4 gso gro"
check "none is missing" fails shows fallbacks ""

in_node a ethtool -K to-b tx off >/dev/null
# The first datagrams of a transfer go alone, the next ones as trains; a train is offered four times before it counts as refused.
refuse() { # COUNT-OF-CALLS COMMAND…
  local calls=$1 tracer status=0
  shift
  : >"$scratch/strace"
  strace -f -o /dev/null -e trace=sendmmsg -e inject=sendmmsg:error=EIO:when="$calls" -p "${pid[a]}" 2>"$scratch/strace" &
  tracer=$!
  within 5 grep -q attached "$scratch/strace"
  "$@" || status=$?
  kill -INT "$tracer" && wait "$tracer" || true
  return "$status"
}
check "10 MB arrive intact while trains are refused" refuse 3..18 transfers a b 10.99.0.2 10
check "show says that IPv4 goes without" within 2 shows fallbacks "ipv4 gso$"
check "and that IPv6 does not" shows offloads "ipv6 gso gro"
check "JSON says so" json_says ipv4 gso false
check "of IPv6 too" json_says ipv6 gso true
check "the log says so" within 2 test "$(warnings)" = 1
check "stock wg reads what it always read" in_node a wg show "$(device a)" dump
check "10 MB arrive intact after that" transfers a b 10.99.0.2 10
check "the other way too" transfers b a 10.99.0.1 10

in_node a wg set "$(device a)" listen-port 51999
check "another port begins with all offloads" json_says ipv4 gso true
check "20 echoes, none lost" pings a 10.99.0.2 20
check "10 MB arrive intact while trains are refused again" refuse 3..18 transfers a b 10.99.0.2 10
check "show says so" within 2 json_says ipv4 gso false
check "the log does not repeat it" test "$(warnings)" = 1

# Both move, or the one that hears the other from its old address goes back.
in_node b wg set "$(device b)" peer "$(key_of a)" endpoint "[$(underlay a b 6)]:51999"
in_node a wg set "$(device a)" peer "$(key_of b)" endpoint "[$(underlay b a 6)]:51820"
check "over IPv6: 20 echoes, none lost" pings a 10.99.0.2 20
check "over IPv6: 10 MB arrive intact while trains are refused" refuse 3..18 transfers a b 10.99.0.2 10
check "over IPv6: show says so" within 2 json_says ipv6 gso false
check "that is news to the log" within 2 test "$(warnings)" = 2

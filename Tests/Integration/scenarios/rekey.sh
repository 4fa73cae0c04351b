# A session is renewed under traffic after the protocol's own 120 seconds, and nobody notices. SLOW=1 only.
#
#   a (meshd) ───────── b (wireguard-go)

. "${BASH_SOURCE%/*}/../lib.sh"
[ "${SLOW:-0}" = 1 ] || skip "takes 140 seconds; set SLOW=1"

nodes a b
link a b
interface a
peer a b "Endpoint = $(underlay b a):51820" "AllowedIPs = 10.99.0.2/32"
interface b "ListenPort = 51820"
peer b a "AllowedIPs = 10.99.0.1/32"
wireguard a ours
wireguard b stock
configure b 10.99.0.2/24
configure a 10.99.0.1/24

handshake_time() { in_node a wg show "$(device a)" latest-handshakes | cut -f 2; }

check "the first session carries data" pings a 10.99.0.2
first=$(handshake_time)
check "2 800 echoes in 140 seconds, none lost" in_node a ping -n -q -c 2800 -i 0.05 -W 2 10.99.0.2
second=$(handshake_time)
check "the session was renewed after 120 seconds ($((second - first)))" test "$((second - first))" -ge 119
check "no earlier and no later" test "$((second - first))" -le 126

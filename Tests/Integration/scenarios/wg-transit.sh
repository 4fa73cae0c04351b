# `meshd wg --transit process`: a plain hub forwards between its peers inside the process; its kernel forwards nothing.
#
#   a ───────── m ───────── b       each knows m alone; to a and b all of 10.99.0.0/24 is behind it
#   10.99.0.1   10.99.0.2   10.99.0.3

. "${BASH_SOURCE%/*}/../lib.sh"
case $MESHD in *wireguard-go) skip "wireguard-go has no transit of its own" ;; esac

nodes a m b
link a m
link m b
in_node m sysctl -q net.ipv4.ip_forward=0

for node in a b; do
  interface "$node" "ListenPort = 51820"
  peer "$node" m "Endpoint = $(underlay m "$node"):51820" "AllowedIPs = 10.99.0.0/24"
done
interface m "ListenPort = 51820"
peer m a "Endpoint = $(underlay a m):51820" "AllowedIPs = 10.99.0.1/32"
peer m b "Endpoint = $(underlay b m):51820" "AllowedIPs = 10.99.0.3/32"
for node in a m b; do in_node "$node" "$MESHD" wg --transit process "$(device "$node")"; done
configure a 10.99.0.1/24
configure m 10.99.0.2/24
configure b 10.99.0.3/24

check "a reaches m, though its own address is in what m owns" pings a 10.99.0.2
check "a reaches b through m" pings a 10.99.0.3
check "and b reaches a" pings b 10.99.0.1
check "traceroute shows m" path_is a 10.99.0.3 10.99.0.2 10.99.0.3
check "10 MB from a to b arrive intact" transfers a b 10.99.0.3 10
in_node m ip address add 10.99.0.9/32 dev "$(device m)"
check "an address that m gets later is its own at once" within 2 reaches a 10.99.0.9

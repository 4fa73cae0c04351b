# The MTU of the tunnel changes while it is in use: the next packet is padded, refused and merged by the new one.
#
#   a ───────── b        1420 → 1300 → 9000 → 1420

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a b
link a b
for node in a b; do in_node "$node" ip link set "to-$([ "$node" = a ] && echo b || echo a)" mtu 9100; done
interface a
peer a b "Endpoint = $(underlay b a):51820" "AllowedIPs = 10.99.0.2/32"
interface b "ListenPort = 51820"
peer b a "AllowedIPs = 10.99.0.1/32"
for node in a b; do wireguard "$node" ours; done
configure b 10.99.0.2/24
configure a 10.99.0.1/24
check "a reaches b" pings a 10.99.0.2

sent() { in_node a wg show "$(device a)" transfer | cut -f 3; }
outside() { # OCTETS: of the datagram that carries an echo request of so many octets
  local before
  before=$(sent)
  in_node a ping -n -q -c 1 -W 2 -M "do" -s $(($1 - 28)) 10.99.0.2 && echo $(($(sent) - before)) >"$scratch/octets"
}
carries() { # OCTETS DATAGRAM
  outside "$1" && cat "$scratch/octets" && [ "$(cat "$scratch/octets")" = "$2" ]
}
knows() { meshd_show a --json | grep -q "\"mtu\": $1,"; }

check "1420: a packet is padded to 16 octets" carries 1290 $((32 + 1296))
for mtu in 1300 9000 1420; do
  for node in a b; do in_node "$node" ip link set "$(device "$node")" mtu "$mtu"; done
  case $MESHD in *wireguard-go) ;; *) check "$mtu: it is followed" within 2 knows "$mtu" ;; esac
  check "$mtu: a full packet is not padded beyond the MTU" carries "$mtu" $((32 + mtu))
  check "$mtu: one less is padded to the MTU" carries $((mtu - 1)) $((32 + mtu))
  check "$mtu: a small one as ever" carries 100 $((32 + 112))
  check "$mtu: one more is refused" fails carries $((mtu + 1)) 0
  check "$mtu: 10 MB arrive intact" transfers a b 10.99.0.2 10
done

# At home a peer is reached at its private address; away, a stranger has that address (S5.18).
#
#          ┌── LAN ───────── h      h: 10.44.0.2, on its LAN 192.168.77.1, outside at its address towards x
#   a ─────┤                 │      a: 10.44.0.1, at home 192.168.77.2
#          └── x ── 15 ms ───┘      x: a's router away, 192.168.77.1 as well; it listens there with wireguard-go
#
# h announces its LAN, so away that prefix leads a into the tunnel.

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a h x
link a x
emulated_link x h
impair x h both delay 15ms
router x a h
link a h
in_node a ip route add default via "$(underlay x a)"
in_node x ip address add 192.168.77.1/32 dev lo
for node in a h; do
  other=$([ $node = a ] && echo h || echo a)
  in_node $node ip address flush dev "to-$other"
  in_node $node ip address add "192.168.77.$([ $node = a ] && echo 2 || echo 1)/24" dev "to-$other"
done
goes() { # home|away
  case $1 in
    home) in_node a ip link set to-h up ;;
    away) in_node a ip link set to-h down ;;
  esac
}
interface x "ListenPort = 51820"
peer x a "AllowedIPs = 10.44.0.1/32"
wireguard x stock
configure x
interface a "ListenPort = 51820" "Address = 10.44.0.1/32" "Babel = on"
peer a h "Endpoint = 192.168.77.1:51820, $(at h x)"
interface h "ListenPort = 51820" "Address = 10.44.0.2/32" "Babel = on" "Announce = 192.168.77.0/24"
peer h a
uses_endpoint() { in_node a wg show "$(device a)" endpoints | tee /dev/stderr | grep -qF "$1"; }
outside() { uses_endpoint "$(at h x)"; }
private() { uses_endpoint 192.168.77.1:51820; }

goes away
record x
up h
up a
took 10 soon a 10.44.0.2 || true
check "S5.18 away, h is reached outside" outside
check "S5.18 after $milliseconds ms, at most 1000, though the first endpoint is a stranger's" test "$milliseconds" -le 1000
check "S5.18 its LAN is reached through the tunnel" within 10 eval 'in_node a ip route get 192.168.77.1 | grep -q "dev $(device a)"'
ip netns exec "$tag-a" "${BASH_SOURCE%/*}/../datagrams" "$(device a)" >"$scratch/inside" &
within 5 test -s "$scratch/inside"
knocks() { datagrams x in 1 | grep " 192.168.77.1:51820 "; }
check "S5.18 the stranger was asked" knocks
check "S5.18 and did not answer" fails eval 'datagrams x out 2 | grep " 192.168.77.1:51820 [^ ]* 92 "'
stays() { reaches a 10.44.0.2 && outside; }
check "S5.18 h stays outside" throughout 3 stays
check "S5.18 nothing to the private endpoint has gone into the tunnel" fails grep ":51820 " "$scratch/inside"

goes home
# Four probes and three seconds of being better.
took 10 private || true
check "S5.18 at home the private endpoint is in use after $milliseconds ms, at most 5000" test "$milliseconds" -le 5000
direct() {
  in_node a ping -n -q -c 5 -i 0.05 -W 1 10.44.0.2 | tee /dev/stderr | awk -F / '/^rtt/ { is = $5 } END { exit !(is ~ /./ && is < 15) }'
}
# h decides for its own direction.
check "S5.18 without going round" within 5 direct

goes away
took 10 soon a 10.44.0.2 || true
check "S5.18 away again: h is reached outside after $milliseconds ms, at most 2000" test "$milliseconds" -le 2000
check "S5.18 there" outside

# Home by another door: the uplink goes as the LAN comes.
in_node a ip link set to-x down
goes home
took 10 soon a 10.44.0.2 || true
check "S5.18 home with nothing but the LAN: after $milliseconds ms, at most 5000" test "$milliseconds" -le 5000
check "S5.18 at the private endpoint" private

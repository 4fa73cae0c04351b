# A stock client talks to one gateway, then to another, then to the first again: the whole mesh follows it.
#
#            g (meshd) ───── m (meshd) ───── h (meshd)        10.44.0.1, .2, .3
#            │                               │
#            └──────── p (wireguard-go) ─────┘                10.44.8.8, fd44:8::8
#
# p has both gateways as peers and moves its routes between them, as a phone does that is told to use another profile.

. "${BASH_SOURCE%/*}/../lib.sh"

nodes g m h p
link g m
link m h
link p g
link p h
mesh_node g 1 m
mesh_node m 2 g h
mesh_node h 3 m
for gateway in g h; do peer "$gateway" p "AllowedIPs = 10.44.8.8/32, fd44:8::8/128"; done

interface p "ListenPort = 51820"
peer p g "Endpoint = $(underlay g p):51820" "AllowedIPs = 10.44.0.0/16, fd44::/16"
peer p h "Endpoint = $(underlay h p):51820"
wireguard p stock
configure p 10.44.8.8/32 fd44:8::8/128
in_node p ip route add 10.44.0.0/16 dev "$(device p)"
in_node p ip -6 route add fd44::/16 dev "$(device p)"
for node in g m h; do up "$node"; done

turn_to() { # GATEWAY
  in_node p wg set "$(device p)" peer "$(key_of "$1")" allowed-ips 10.44.0.0/16,fd44::/16
}
# From the moment p uses the other gateway, until an echo of p's to m comes back.
outage() { # GATEWAY
  local started=${EPOCHREALTIME/[.,]/}
  turn_to "$1"
  within 10 in_node p ping -n -q -c 1 -W 0.2 10.44.0.2 || return
  milliseconds=$(((${EPOCHREALTIME/[.,]/} - started) / 1000))
}
claims() { in_node "$1" "$MESHD" xroutes "$(device "$1")" | grep -q "^10.44.8.8/32"; }

check "the mesh works" within 20 both_reach g h 10.44.0.1 10.44.0.3
check "p reaches m through g" within 20 reaches p 10.44.0.2
check "and m reaches p" within 10 both_reach m p 10.44.0.2 10.44.8.8
check "IPv6 too" within 10 both_reach m p fd44::2 fd44:8::8
check "g announces p" claims g
outage h
check "p turns to h: m answers it after $milliseconds ms, less than 2000" test "$milliseconds" -lt 2000
check "g no longer announces p" within 2 fails claims g
check "g itself reaches p, by way of m and h" path_is g 10.44.8.8 10.44.0.2 10.44.0.3 10.44.8.8
check "20 echoes, none lost" pings g 10.44.8.8 20
outage g
check "p turns back, under the session it still has: $milliseconds ms, less than 2000" test "$milliseconds" -lt 2000
check "h no longer announces p" within 2 fails claims h
check "h reaches p by way of m and g" path_is h 10.44.8.8 10.44.0.2 10.44.0.1 10.44.8.8
for _ in 1 2 3; do
  outage h
  check "to h: $milliseconds ms" test "$milliseconds" -lt 2000
  outage g
  check "to g: $milliseconds ms" test "$milliseconds" -lt 2000
done
check "IPv6 has moved along" pings h fd44:8::8 5
check "what p sends is taken from wherever it comes" pings p 10.44.0.3 5

# A server with two providers, and by the same token a host with two uplinks (S5.17).
#
#   c ───┐     ┌── p ──┐         s: 10.44.0.1, meshd, a default route by p and one by q, p's preferred
#   w ───┼─ i ─┤       ├─── s    c: 10.44.0.2, meshd, has both of s's addresses
#   h ───┘     └── q ──┘         w: 10.44.0.3, wireguard-go, has s's address at q
#                                h: 10.44.0.4, meshd, of which s has the only address
#
# A provider takes from s no packets with the other provider's addresses. s's links go through the emulator.

. "${BASH_SOURCE%/*}/../lib.sh"

nodes c w h i p q s
for node in c w h; do
  link $node i
  in_node $node ip route add default via "$(underlay i $node)"
done
metric=100
for provider in p q; do
  emulated_link $provider s
  impair $provider s both delay 2ms
  link i $provider
  in_node i ip route add "$(underlay s $provider)" via "$(underlay $provider i)"
  in_node $provider ip route add default via "$(underlay i $provider)"
  in_node s ip route add default via "$(underlay $provider s)" metric $metric
  metric=$((metric + 100))
done
for router in i p q; do in_node $router sysctl -q net.ipv4.ip_forward=1; done
in_node p ip rule add iif to-s from "$(underlay s q)" blackhole
in_node q ip rule add iif to-s from "$(underlay s p)" blackhole

interface s "ListenPort = 51820" "Address = 10.44.0.1/32" "Babel = on"
peer s c
peer s w "Babel = off" "AllowedIPs = 10.44.0.3/32"
peer s h "Endpoint = $(at h i)"
interface c "ListenPort = 51820" "Address = 10.44.0.2/32" "Babel = on"
peer c s "Endpoint = $(at s p), $(at s q)"
interface w "ListenPort = 51820"
peer w s "Endpoint = $(at s q)" "AllowedIPs = 10.44.0.1/32"
interface h "ListenPort = 51820" "Address = 10.44.0.4/32" "Babel = on"
peer h s
wireguard w stock
configure w 10.44.0.3/24
record s
for node in s c h; do up $node; done

# --- Answers leave from where they were asked --------------------------------------------------------------------------

check "S5.17 the stock client reaches s at q, though s's packets go to p first" within 5 reaches w 10.44.0.1
check "S5.17 and s reaches it" pings s 10.44.0.3
sources() { datagrams s out | grep " $(at w i) " | awk '{ print $3 }' | sort -u; }
check "S5.17 s's packets to it leave from the address at q" eval 'sources >&2; [ "$(sources)" = "$(at s q)" ]'

# --- The client's choice -----------------------------------------------------------------------------------------------

check "S5.17 c reaches s" within 5 reaches c 10.44.0.1
by() { uses c s "$1"; }
either() { paths c s | awk '{ print } $2 == "alive" { alive++ } END { exit alive < 2 }'; }
for _ in 1 2; do
  check "S5.17 both ways are alive" within 15 either
  way=p
  by p >/dev/null 2>&1 || way=q
  silence 10 c 10.44.0.1 impair $way s both loss 100%
  check "S5.17 the provider in use dies: by the other after $milliseconds ms, at most 1000" test "$milliseconds" -le 1000
  check "S5.17 it is the other" fails by $way
  impair $way s both loss 0
done

# --- Two uplinks, one remote -------------------------------------------------------------------------------------------

check "S5.17 s reaches h" within 5 reaches s 10.44.0.4
from() { # PROVIDER: s sends to h from its address there
  paths s h | tee /dev/stderr | awk -v from="$(underlay s "$1")" '$3 == "used" && $4 == from { found = 1 } END { exit !found }'
}
two_paths() {
  paths s h | tee /dev/stderr | awk -v h="$(at h i)" -v p="$(underlay s p)" -v q="$(underlay s q)" \
    '$1 == h && $2 == "alive" && ($4 == p || $4 == q) { found[$4] } END { exit length(found) != 2 }'
}
check "S5.17 a host with two uplinks has two paths to one remote" within 15 two_paths
for _ in 1 2; do
  check "S5.17 both are alive" within 15 two_paths
  way=p
  from p >/dev/null 2>&1 || way=q
  silence 10 s 10.44.0.4 impair $way s both loss 100%
  check "S5.17 the uplink in use dies: by the other after $milliseconds ms, at most 1000" test "$milliseconds" -le 1000
  check "S5.17 it is the other" within 1 from "$([ $way = p ] && echo q || echo p)"
  impair $way s both loss 0
done

# --- The address asked for is no more ----------------------------------------------------------------------------------

check "S5.17 the stock client is still there" within 20 reaches w 10.44.0.1
in_node s ip address delete "$(underlay s q)/24" dev to-q
took 20 soon s 10.44.0.3 || true
check "S5.17 without its address at q, s reaches the stock client from the other after $milliseconds ms, at most 2000" \
  test "$milliseconds" -le 2000
check "S5.17 which answers there" eval 'in_node w wg show "$(device w)" endpoints | grep -qF "$(at s p)"'

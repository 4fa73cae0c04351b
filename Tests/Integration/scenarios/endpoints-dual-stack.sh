# Names with an IPv4 and an IPv6 address, and a node that moves between networks with the one, the other, or both (S5.2, S5.16).
#
#             ┌── m        a: 10.44.0.1, meshd; its hosts file has m.example and s.example
#   a ─── r ──┤            m: 10.44.0.2, meshd
#             └── s        s: 10.44.0.3, wireguard-go

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a m s r
for node in a m s; do link $node r; done
router r a m s
lines=()
for node in m s; do
  for family in 4 6; do lines+=("$(underlay $node r $family) $node.example"); done
done
hosts a "${lines[@]}"

moves() { # FAMILY…: a's network has these from now on, and nothing of the one before
  local family
  in_node a ip address flush dev to-r
  for family; do
    in_node a ip address add "$(underlay a r "$family")/$((family == 4 ? 24 : 64))" dev to-r $([ "$family" = 4 ] || echo nodad)
    for node in m s; do
      in_node a ip route replace "$(underlay $node r "$family")" via "$(underlay r a "$family")"
    done
  done
}
both() { soon a 10.44.0.2 && soon a 10.44.0.3; }
family_in_use() { # OTHER: of a's endpoint
  in_node a wg show "$(device a)" endpoints | grep "^$(key_of "$1")" | grep -q '\[' && echo 6 || echo 4
}

interface a "ListenPort = 51820" "Address = 10.44.0.1/32" "Babel = on"
peer a m "Endpoint = m.example:51820"
peer a s "Endpoint = s.example:51820" "Babel = off" "AllowedIPs = 10.44.0.3/32"
printf '%s\n' "[Peer]" "PublicKey = $(wg genkey | wg pubkey)" "Endpoint = nowhere.example:51820" >>"$(config a)"
interface m "ListenPort = 51820" "Address = 10.44.0.2/32" "Babel = on"
peer m a
interface s "ListenPort = 51820"
peer s a "AllowedIPs = 10.44.0.1/32"
wireguard s stock
configure s 10.44.0.3/24
moves 4
up m

took 5 up a || true
check "S5.2 a name that nobody knows does not hold up the start ($milliseconds ms)" test "$milliseconds" -lt 1500
check "S5.16 IPv4 only: m and s are reached" within 5 both
every_address() {
  paths a m | tee /dev/stderr | awk -v four="$(at m r 4)" -v six="$(at m r 6)" '$1 == four || $1 == six { found++ } END { exit found != 2 }'
}
check "S5.2 the name contributes both addresses" within 2 every_address

moves 4 6
# The link's own neighbour discovery takes a second at first.
for node in m s; do within 5 reaches a "$(underlay $node r 6)"; done
took 10 both || true
check "S5.16 dual: after $milliseconds ms, at most 2000" test "$milliseconds" -le 2000
for to in 6 4 6; do
  moves $to
  took 10 both || true
  check "S5.16 IPv$to only: both are reached after $milliseconds ms, at most 2000" test "$milliseconds" -le 2000
  for other in m s; do check "S5.16 $other by IPv$to" test "$(family_in_use $other)" = $to; done
done

# Dual, and one family fails without an error: the router's side of it is gone.
moves 4 6
check "S5.16 dual again" within 5 both
sleep 2
for way in "-6 $(underlay a r 6)" "-4 $(underlay a r 4)"; do
  in_node r ip "${way% *}" route add blackhole "${way#* }"
  took 20 soon a 10.44.0.2 || true
  check "S5.15 dual stack without IPv${way:1:1}: m after $milliseconds ms, at most 2000" test "$milliseconds" -le 2000
  in_node r ip "${way% *}" route delete blackhole "${way#* }"
  sleep 2
done

# Endpoints that are not configured: learned from authenticated packets, bounded, and renewed whatever a NAT or a network
# does to them (S5.9).
#
#   a ══ NAT ══ r ─── m, s      a: 10.44.0.1, meshd, behind a NAT of the emulator's; m: 10.44.0.2, meshd; s: 10.44.0.3,
#               └──── b         wireguard-go; b: 10.44.0.4, meshd. m and s know nobody's endpoint, a and b know those of all

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a b m s r
emulated_link a r
for node in b m s; do link $node r; done
router r a b m s
interface a "ListenPort = 51820" "Address = 10.44.0.1/32" "Babel = on"
peer a m "Endpoint = $(at m r)"
peer a s "Endpoint = $(at s r)" "Babel = off" "AllowedIPs = 10.44.0.3/32"
peer a b "Endpoint = $(at b r)"
interface b "ListenPort = 51820" "Address = 10.44.0.4/32" "Babel = on"
peer b m "Endpoint = $(at m r)"
peer b a "Endpoint = $(at a r)"
interface m "ListenPort = 51820" "Address = 10.44.0.2/32" "Babel = on"
peer m a
peer m b
interface s "ListenPort = 51820"
peer s a "AllowedIPs = 10.44.0.1/32"
wireguard s stock
configure s 10.44.0.3/24
for node in m b a; do up $node; done

# --- A peer that moves -------------------------------------------------------------------------------------------------

check "a reaches s" within 5 reaches a 10.44.0.3
moves_to() { # PORT
  in_node s wg set "$(device s)" listen-port "$1" && in_node s ping -n -q -c 2 -i 0.02 -W 0.2 10.44.0.1 &&
    in_node a wg show "$(device a)" endpoints | grep -q "^$(key_of s).*:$1$"
}
for port in 50001 50002 50003 50004 50005 50006 50007 50008; do
  check "S5.9 s sends from port $port: answers go there" moves_to $port
done
endpoints_of_s() { paths a s | awk '{ print $1 }'; }
count=$(endpoints_of_s | sort -u | wc -l)
check "S5.9 of the eight, a remembers four at most ($count with the configured one)" test "$count" -ge 2 -a "$count" -le 5
check "S5.9 the configured one is never forgotten" eval 'endpoints_of_s | grep -qxF "$(at s r)"'
check "S5.9 s is back where it was" moves_to 51820

# --- A NAT that forgets ------------------------------------------------------------------------------------------------

# SLOW=1: a minute with a new port every 10 s. Otherwise every 3 s, which is worse.
if [ "${SLOW:-0}" = 1 ]; then period=10 times=6; else period=3 times=3; fi
impair a r nat on
check "a is reached behind a NAT by m" within 20 both_reach a m 10.44.0.1 10.44.0.2
check "and by s" within 20 both_reach a s 10.44.0.1 10.44.0.3
sleep 1
count=$((period * times * 100))
flows=("a 10.44.0.2" "m 10.44.0.1" "a 10.44.0.3" "s 10.44.0.1")
waiting=()
for flow in "${flows[@]}"; do
  in_node "${flow% *}" ping -n -q -i 0.01 -c $count -W 1 "${flow#* }" >"$scratch/${flow/ /-}" &
  waiting+=($!)
done
for ((number = 1; number < times; number++)); do
  sleep $period
  impair a r nat rebind
done
wait "${waiting[@]}" || true
for flow in "${flows[@]}"; do
  lost=$((count - $(sed -n 's/.* \([0-9]*\) received.*/\1/p' "$scratch/${flow/ /-}")))
  check "a new port every $period s: from ${flow% *} to ${flow#* } $lost of $count echoes were lost, less than 1 %" \
    test $((lost * 100)) -lt $count
done
impair a r nat off

# --- Both ends move ----------------------------------------------------------------------------------------------------

check "a and b reach each other" within 20 both_reach a b 10.44.0.1 10.44.0.4
moves() { # NODE HOST: its number on its link
  local old
  old=$(underlay "$1" r)
  in_node "$1" ip address delete "$old/24" dev to-r
  in_node "$1" ip address add "${old%.*}.$2/24" dev to-r
  in_node "$1" ip route replace default via "$(underlay r "$1")"
}
in_node m ip route add default via "$(underlay r m)"
moves a 77
moves b 78
took 20 eval 'soon a 10.44.0.4 && soon b 10.44.0.1' || true
check "both change their addresses at once: they reach each other after $milliseconds ms, at most 15000" \
  test "$milliseconds" -le 15000
check "and go on to" pings a 10.44.0.4 20

# The way in use fails, and packets take the other: with a meshd that is measured all the time, and with a stock peer
# (S5.13–S5.15, S5.20).
#
#        ┌── p ──┐                a: 10.44.0.1, meshd
#   a ───┤       ├─── m, s        m: 10.44.0.2, meshd; s: 10.44.0.3, wireguard-go
#        └── q ──┘                a's links go through the emulator

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a m s p q
for router in p q; do
  emulated_link a $router
  link $router m
  link $router s
  router $router a m s
  impair a $router both delay 2ms
done
interface a "ListenPort = 51820" "Address = 10.44.0.1/32" "Babel = on"
peer a m "Endpoint = $(at m p), $(at m q)"
peer a s "Endpoint = $(at s p), $(at s q)" "Babel = off" "AllowedIPs = 10.44.0.3/32"
interface m "ListenPort = 51820" "Address = 10.44.0.2/32" "Babel = on"
peer m a
interface s "ListenPort = 51820"
peer s a "AllowedIPs = 10.44.0.1/32"
wireguard s stock
configure s 10.44.0.3/24
up m
up a
check "a reaches m" within 5 reaches a 10.44.0.2
check "and s" within 5 reaches a 10.44.0.3

declare -A overlay=([m]=10.44.0.2 [s]=10.44.0.3)
all_alive() { paths a m | awk '{ print } $2 == "alive" { alive++ } END { exit alive != 2 }'; }

# BEGIN and END are commands for a way: $way is its router, $there the other's address there.
fails_over() { # TITLE OTHER MILLISECONDS BEGIN END
  local other=$2 way there
  [ "$other" != m ] || check "$1: both ways are alive" within 15 all_alive
  way=p
  uses a "$other" p >/dev/null 2>&1 || way=q
  there=$(underlay "$other" $way)
  silence 25 a "${overlay[$other]}" eval "$4"
  check "$1: after $milliseconds ms, at most $3" test "$milliseconds" -le "$3"
  check "$1: by the other way" fails uses a "$other" $way
  eval "$5"
}
no_route='in_node a ip route delete "$there"'
again='in_node a ip route replace "$there" via "$(underlay "$way" a)"'
link_up='in_node a ip link set "to-$way" up
  for other in m s; do in_node a ip route replace "$(underlay $other $way)" via "$(underlay $way a)"; done'

# --- The kernel refuses -----------------------------------------------------------------------------------------------

# 50 ms, and what a busy machine needs. Echoes come every 10 ms.
for other in m s; do
  fails_over "S5.13 $other: no route" $other 250 "$no_route" "$again"
  fails_over "S5.13 $other: unreachable" $other 250 'in_node a ip route replace unreachable "$there"' "$again"
done
fails_over "S5.13 m: the link is down" m 250 'in_node a ip link set "to-$way" down' "$link_up"

# --- A router refuses ---------------------------------------------------------------------------------------------------

not_forwarded='in_node "$way" ip route replace unreachable "$there"'
forwarded='in_node "$way" ip route delete unreachable "$there"'
fails_over "S5.14 m: host unreachable" m 700 "$not_forwarded" "$forwarded"
fails_over "S5.14 m: port unreachable" m 700 'in_node "$way" ip address add "$there/32" dev lo' \
  'in_node "$way" ip address delete "$there/32" dev lo'
# No initiation is made less than 5 s after the last.
fails_over "S5.14 s: host unreachable" s 6000 "$not_forwarded" "$forwarded"

# Errors about datagrams that did arrive, 500 of them.
check "S5.14 both ways are alive" within 15 all_alive
way=p
uses a m p >/dev/null 2>&1 || way=q
record a
in_node $way python3 - "$(underlay $way a)" "$(underlay a $way)" "$(underlay m $way)" <<'PYTHON' &
import socket, struct, sys, time
router, sender, target = map(socket.inet_aton, sys.argv[1:])
quote = struct.pack("!BBHHHBBH4s4sHHHH", 0x45, 0, 128, 7, 0x4000, 64, 17, 0, sender, target, 51820, 51820, 108, 0)
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
for _ in range(500):
    message = struct.pack("!BBHI", 3, 1 + 2 * (_ % 2), 0, 0) + quote
    total = sum(struct.unpack(f"!{len(message) // 2}H", message))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    raw.sendto(message[:2] + struct.pack("!H", ~total & 0xFFFF) + message[4:], (sys.argv[2], 0))
    time.sleep(0.004)
PYTHON
# The endpoint may change for a better one meanwhile.
switched() { grep -c "reported unreachable" "$scratch/a/log" || true; }
before=$(switched)
still() { reaches a 10.44.0.2 && [ "$(switched)" = "$before" ]; }
check "S5.14 forged errors change no endpoint" throughout 2 still
races=$({ datagrams a out 1 || true; } | awk '{ print substr($6, 1, 264) }' | sort -u | wc -l)
check "S5.14 and cause no more than one race a second ($races in 2 s)" test "$races" -le 3

# --- Silence ------------------------------------------------------------------------------------------------------------

lost() { echo "impair a \"\$way\" $1 loss 100%"; }
mended='impair a "$way" both loss 0'
fails_over "S5.15 m: silence" m 1000 "$(lost both)" "$mended"
fails_over "S5.20 m: silence from a on" m 1000 "$(lost ab)" "$mended"
fails_over "S5.20 m: silence to a" m 1000 "$(lost ba)" "$mended"
fails_over "S5.15 s: silence" s 20000 "$(lost both)" "$mended"

check "all the while, a and m were neighbours" fails grep -h "neighbour down" "$scratch/a/log" "$scratch/m/log"

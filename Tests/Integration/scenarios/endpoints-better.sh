# The better way takes over, if it is better by enough and for long enough, and nothing is lost on it (S5.5, S5.8).
#
#        ┌── p, 10 ms there, 10 ms back ──┐        a: 10.44.0.1, meshd
#   a ───┤                                ├─── m   m: 10.44.0.2, meshd; with SLOW=1 s: 10.44.0.3, wireguard-go
#        └── q, as the test has it ───────┘        a's links go through the emulator

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a m s p q
for router in p q; do
  emulated_link a $router
  link $router m
  link $router s
  router $router a m s
  impair a $router both delay 10ms
done
interface a "ListenPort = 51820" "Address = 10.44.0.1/32" "Babel = on"
peer a m "Endpoint = $(at m p), $(at m q)"
peer a s "Endpoint = $(at s p), $(at s q)" "Babel = off" "AllowedIPs = 10.44.0.3/32"
interface m "ListenPort = 51820" "Address = 10.44.0.2/32" "Babel = on"
peer m a
up m
up a
check "a reaches m" within 5 reaches a 10.44.0.2
check "by the way configured first" uses a m p
echoes() { exec ip netns exec "$tag-a" ping -n -q -i 0.01 -c "$1" -W 1 10.44.0.2 >"$scratch/echoes"; }
echoes 1500 &
echoes=$!
sleep 3

# The emulator's lateness and the machine's are in the figures; so the bounds are 3 ms further away than the statement's.
impair a q both delay 6.5ms
check "S5.5 7 ms less of a round trip do not take over" throughout 6 uses a m p
impair a q both delay 1ms
took 30 uses a m q || true
check "S5.5 18 ms less do ($milliseconds ms)" uses a m q
both_ways() { uses a m q && in_node m wg show "$(device m)" endpoints | grep -qF "$(at a q)"; }
check "S5.5 for both directions" within 10 both_ways
cost_follows() { meshd_show a | grep -o "rtt [0-9.]*" | awk '{ print } $2 < 15 { fast = 1 } END { exit !fast }'; }
check "the cost of the link follows" within 20 cost_follows
wait $echoes || true
check "S5.5 nothing is lost on it" grep ", 0% packet loss" "$scratch/echoes"

echoes 100000 &
impair a q both loss 10%
took 40 uses a m p || true
check "S5.20 a tenth of the packets lost makes it the worse one ($milliseconds ms)" uses a m p

# A stock peer that begins all handshakes hides from us which way would win one.
[ "$SLOW" = 1 ] || exit 0
impair a p both loss 0
impair a p both delay 40ms
interface s "ListenPort = 51820"
peer s a "Endpoint = $(at a p)" "AllowedIPs = 10.44.0.1/32" "PersistentKeepalive = 5"
wireguard s stock
configure s 10.44.0.3/24
check "s reaches a" within 5 reaches s 10.44.0.1
check "by p" uses a s p
in_node s ping -n -q -i 5 10.44.0.1 >/dev/null &
took 180 uses a s q || true
check "S5.8 a has tried q, and found it to be faster, after $((milliseconds / 1000)) s, at most 180" uses a s q

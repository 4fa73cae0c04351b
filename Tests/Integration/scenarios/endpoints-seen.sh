# Paths are shown, chosen by hand, and what a stock peer gets is what WireGuard sends (S5.1, S5.2, S5.20, S5.21).
#
#        ┌── p ──┐                a: 10.44.0.1, meshd
#   a ───┤       ├─── m, s        m: 10.44.0.2, meshd; s: 10.44.0.3, wireguard-go with babeld
#        └── q ──┘                a's links go through the emulator

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a m s p q
for router in p q; do
  emulated_link a $router
  link $router m
  link $router s
  router $router a m s
done
impair a p both delay 5ms
impair a q both delay 6ms

# The line of the seed, its name known and unknown.
hosts a "192.0.2.9 myserver.dyndns.tld" "2001:db8::9 myserver.dyndns.tld"
seed="Endpoint = 192.95.5.67:1234, [2607:5300:60:6b0::c05f:543]:1234, myserver.dyndns.tld:1234, 192.168.1.42:1234"
interface a "ListenPort = 51820" "Address = 10.44.0.1/32" "Babel = on"
peer a m "Endpoint = $(at m p), $(at m q)"
peer a s "Endpoint = $(at s p), $(at s q)"
mkdir "$scratch/nobody"
wg genkey | wg pubkey >"$scratch/nobody/public"
peer a nobody "Babel = off" "PersistentKeepalive = 25" "$seed"
in_node a ip route add 192.95.5.67 via "$(underlay p a)"
in_node p ip route add blackhole default
interface m "ListenPort = 51820" "Address = 10.44.0.2/32" "Babel = on"
peer m a
interface s "ListenPort = 51820"
peer s a "AllowedIPs = 0.0.0.0/0, ::/0"
wireguard s stock
configure s fe80::5/64 10.44.0.3/32
record s
ip netns exec "$tag-s" "${BASH_SOURCE%/*}/../datagrams" "$(device s)" >"$scratch/inside" &
check "S5.1 check accepts the line of the seed" in_node a "$MESHD" check "$(config a)"
up m
up a
start s babeld -d 1 -I "$scratch/s/babeld.pid" -S "$scratch/s/babeld-state" -C "interface $(device s) type tunnel" \
  -C "redistribute local ip 10.44.0.3/32" -C "redistribute local deny"
endpoints_of() { paths a "$1" | awk '{ print $1 }' | sort | tr '\n' ' '; }
expected="192.0.2.9:1234 192.168.1.42:1234 192.95.5.67:1234 [2001:db8::9]:1234 [2607:5300:60:6b0::c05f:543]:1234"
known() { endpoints_of nobody; [ "$(endpoints_of nobody | xargs -n 1 | sort)" = "$(xargs -n 1 <<<"$expected" | sort)" ]; }
check "S5.1, S5.2 its candidates are all the addresses" within 3 known
check "m is reached" within 5 reaches a 10.44.0.2
check "s is, too" within 40 reaches a 10.44.0.3

# --- What is shown -----------------------------------------------------------------------------------------------------

lines_of() { # OTHER: of the text, its lines about paths
  meshd_show a | awk -v key="$(key_of "$1")" '$1 == "peer:" { its = $2 == key } its && /^  paths:/ { shown = 1 }
    its && shown && !/^  paths:/ && !/^         / { shown = 0 } its && shown'
}
two_lines() {
  lines_of m | tee /dev/stderr | awk -v p="$(at m p)" -v q="$(at m q)" '
    /^(  paths:|        ) \* / && index($0, p) && / ms  [0-9.]+% loss  mtu [0-9]+  in use / { used = 1 }
    /^(  paths:|        )   / && index($0, q) && / ms  [0-9.]+% loss  mtu [0-9]+$/ { spare = 1 }
    END { exit !(used && spare) }'
}
check "S5.21 the paths are lines of show, with round trip, loss and MTU" within 15 two_lines
rtt_of() { paths a m | awk -v is="$(at m "$1")" '$1 == is { print $5 }'; }
measured() {
  echo "p $(rtt_of p) ms, q $(rtt_of q) ms"
  awk -v p="$(rtt_of p)" -v q="$(rtt_of q)" 'BEGIN { exit !(p >= 10 && p < 40 && q >= 12 && q < 40) }'
}
check "S5.20 both ways are measured: 10 and 12 ms, and what the machine adds" within 15 measured
check "S5.21 no answer where nobody is" within 20 eval 'lines_of nobody | grep -q "192.95.5.67:1234 .* no answer"'
check "S5.21 cannot be sent along where there is no route" within 20 eval \
  'lines_of nobody | tee /dev/stderr | grep -q "192.168.1.42:1234 .* cannot be sent along"'
check "S5.21 stock wg shows the peers as ever" eval 'in_node a wg show "$(device a)" dump | awk "NR > 1 && NF != 8 { exit 1 }"'
check "S5.21 and no word of it that is unknown" eval '! in_node a wg show "$(device a)" 2>&1 | grep -qi "unrecog\|invalid\|unable"'

# --- What is chosen ----------------------------------------------------------------------------------------------------

check "S5.21 pin" in_node a "$MESHD" pin "$(key_of m)" "$(at m q)" "$(device a)"
check "S5.21 the pinned path is used at once" within 1 uses a m q
check "S5.21 and shown as such" eval 'lines_of m | grep "^[ a-z:]* \* .*pinned"'
check "S5.21 json says so" eval 'paths a m | grep -q "^$(at m q) .* pinned "'
impair a q both delay 40ms
check "S5.21 it stays, though it is worse" throughout 3 uses a m q
impair a q both delay 6ms
check "S5.21 unpin" in_node a "$MESHD" unpin "$(key_of m)" "$(device a)"
check "S5.21 nothing is pinned" fails eval 'paths a m | grep pinned'

check "S5.21 wg set … endpoint" in_node a wg set "$(device a)" peer "$(key_of s)" endpoint "$(at s q)"
check "S5.21 pins" within 1 uses a s q
check "S5.21 and s is reached there" within 5 reaches a 10.44.0.3
check "S5.21 wg set … endpoint adds what is new" in_node a wg set "$(device a)" peer "$(key_of m)" endpoint 192.0.2.77:7
check "S5.21 to what there is" within 1 eval 'endpoints_of m | grep -F 192.0.2.77:7 | grep -F "$(at m p)"'
in_node a "$MESHD" unpin "$(key_of m)" "$(device a)"
check "S5.21 and without the pin m is back" within 20 reaches a 10.44.0.2
switches() { in_node a "$MESHD" explain 10.44.0.2 "$(device a)" | tee /dev/stderr | grep -qF "from $(at m p) to $(at m q): set by the operator"; }
check "S5.21 explain tells the last switches" switches

# --- What stock peers get ----------------------------------------------------------------------------------------------

# Messages of types 1 to 4, of the lengths of these types.
unknown() {
  awk '$2 == "in" && $4 ~ /:51820$/ && !($6 ~ /^01000000/ && $5 == 148 || $6 ~ /^02000000/ && $5 == 92 || $6 ~ /^03000000/ && $5 == 64 ||
    $6 ~ /^04000000/ && $5 >= 32 && $5 % 16 == 0)' "$scratch/s/datagrams"
}
nothing_unknown() { unknown | tee /dev/stderr | cut -c 1-200 | fails grep .; }
check "S5.20 s, which is stock, got nothing that WireGuard does not send" nothing_unknown
# Inside: Babel's packets, with TLVs of RFC 8966 to RFC 9467 only.
unknown_tlvs() {
  python3 - "$scratch/inside" <<'PYTHON'
import sys
for line in open(sys.argv[1]):
    words = line.split()
    if len(words) < 6 or words[1] != "in":
        continue
    packet = bytes.fromhex(words[5])
    if not words[3].endswith(":6696") or packet[:2] != b"\x2a\x02":
        print(line)
        continue
    end, position = 4 + int.from_bytes(packet[2:4], "big"), 4
    while position < end:
        kind = packet[position]
        if kind > 20:
            print(kind)
        position += 1 if kind == 0 else 2 + packet[position + 1]
PYTHON
}
check "S5.20 a stock routing daemon got no TLV of ours" test -z "$(unknown_tlvs)"
check "S5.20 though it got many" test "$(grep -c ":6696 " "$scratch/inside")" -ge 3

# The link emulator does to frames what it is told, no less. Its own lateness is not judged here: bounds of time are one-sided.
#
#   a ───────── emulator ───────── b           end a is a's, end b is b's
#   10.99.0.1                  10.99.0.2       plain WireGuard over it, for the address translation

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a b
emulated_link a b
to_b=$(underlay b a)

echo_times_at_least() { # MILLISECONDS: the fastest of ten echoes
  local fastest
  fastest=$(in_node a ping -n -q -c 10 -i 0.05 -W 2 "$to_b" | sed -n 's|^rtt [^=]*= \([0-9.]*\)/.*|\1|p')
  echo "the fastest echo took $fastest ms"
  awk -v is="$fastest" -v bound="$1" 'BEGIN { exit !(is != "" && is >= bound) }'
}

echoes() { # OPTION…: how many of 1 000 came back
  in_node a ping -n -q -c 1000 -i 0.002 -W 1 "$@" "$to_b" | sed -n 's/.* \([0-9]*\) received.*/\1/p'
}

is_within() { # NUMBER LOW HIGH
  echo "$1 is to be from $2 to $3"
  [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

check "a perfect wire carries IPv4 and IPv6" both_reach a b "$(underlay a b 6)" "$(underlay b a 6)"
check "10 MB pass it intact" transfers a b "$to_b" 10

# --- Delay -----------------------------------------------------------------------------------------------------------

impair a b ab delay 30ms
impair a b ba delay 10ms
check "30 ms there and 10 ms back are at least 40 ms" echo_times_at_least 40
impair a b both delay 20ms jitter 5ms
check "with ± 5 ms of jitter on each way they are at least 30 ms" echo_times_at_least 30
impair a b both clear

# --- Loss ------------------------------------------------------------------------------------------------------------

impair a b ab loss 20% seed 7
received=$(echoes)
check "a loss of 20 % on one way loses 130 to 270 of 1 000 echoes ($((1000 - received)))" is_within "$received" 730 870
check "as many as the emulator counts, which also saw other frames" is_within "$(emulated a b ab loss)" $((1000 - received)) 300
impair a b ab clear
check "a perfect wire again: none" is_within "$(echoes)" 1000 1000

# --- One way down ----------------------------------------------------------------------------------------------------

impair a b ba down
before=$(emulated a b ab delivered)
check "with the way back down no echo comes back" fails reaches a "$to_b"
check "but the request arrived" test "$(emulated a b ab delivered)" -gt "$before"
impair a b ba up
check "with the way back up it does" within 5 reaches a "$to_b"

# --- MTU -------------------------------------------------------------------------------------------------------------

echo_of() { # OCTETS of the whole packet, with DF
  in_node a ping -n -q -c 1 -W 1 -M do -s $(($1 - 28)) "$to_b"
}

learns_mtu() { # ADDRESS OCTETS
  in_node a ping -n -q -c 1 -W 1 -M do -s 1300 "$1" || true
  in_node a ip route get "$1"
  in_node a ip route get "$1" | grep -q "mtu $2"
}

impair a b ab mtu 1280
check "a packet of 1 280 octets passes an MTU of 1 280" echo_of 1280
check "one of 1 281 vanishes" fails echo_of 1281
check "and nobody is told" fails learns_mtu "$to_b" 1280
impair a b ab router on
check "a router tells so over IPv4" learns_mtu "$to_b" 1280
check "and over IPv6" learns_mtu "$(underlay b a 6)" 1280
in_node a ip route flush cache
check "it fragments what may be" in_node a ping -n -q -c 1 -W 1 -M dont -s 3000 "$to_b"
impair a b both clear

# --- Rate ------------------------------------------------------------------------------------------------------------

# The queue lets through what it holds beyond the rate: 64 kB of 2 MB.
impair a b ab rate 20mbit queue 64k
started=${EPOCHREALTIME/[.,]/}
check "2 MB pass a rate of 20 Mbit/s" transfers a b "$to_b" 2
milliseconds=$(((${EPOCHREALTIME/[.,]/} - started) / 1000))
check "and take at least 800 ms ($milliseconds)" test "$milliseconds" -ge 800
check "the queue dropped what was too much" test "$(emulated a b ab queue)" -gt 0
impair a b both clear

# --- Address translation ---------------------------------------------------------------------------------------------

endpoint_of_a() { in_node b wg show "$(device b)" endpoints | cut -f 2; }
moved_from() { # ENDPOINT
  echo "b has $(endpoint_of_a), before $1"
  [ "$(endpoint_of_a)" != "$1" ]
}

impair a b nat on expire 60s address 10.200.1.99
interface a "ListenPort = 51820"
peer a b "Endpoint = $to_b:51820" "AllowedIPs = 10.99.0.2/32"
interface b "ListenPort = 51820"
peer b a "AllowedIPs = 10.99.0.1/32"
wireguard a ours
wireguard b stock
configure b 10.99.0.2/24
configure a 10.99.0.1/24
check "a session starts through the translator" pings a 10.99.0.2
first=$(endpoint_of_a)
check "b sees a at the outer address ($first)" expr "$first" : '10\.200\.1\.99:'
check "and at another port than its own" fails expr "$first" : '.*:51820$'
check "b reaches a there" pings b 10.99.0.1

impair a b nat rebind
check "after a rebinding b no longer does" fails reaches b 10.99.0.1
check "until a sends" pings a 10.99.0.2
check "then b has a at another port ($(endpoint_of_a))" moved_from "$first"
check "and reaches it" pings b 10.99.0.1

impair a b nat expire 1s
second=$(endpoint_of_a)
sleep 1.1
check "a mapping that has expired is closed" fails reaches b 10.99.0.1
check "the next packet makes a new one" pings a 10.99.0.2
check "at another port ($(endpoint_of_a))" moved_from "$second"
impair a b nat off

check "a mistake is told in a sentence" test "$(impair a b ab dealy 1ms 2>&1 | cut -d : -f 1-2)" = \
  "error: \`dealy\` is no setting of a direction"

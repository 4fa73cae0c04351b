# The host sends more than its tunnel can carry, for a long time. The queue of the TUN device is full throughout; Babel,
# handshakes and commands never wait for it.
#
#   flood ═══▶ a ═════ b       all of it goes to b; a's queue holds 10 packets
#              └────── c       comes and goes meanwhile

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a b c
link a b
link a c
mesh_node a 1 b c
mesh_node b 2 a
mesh_node c 3 a
for node in a b; do up "$node"; done
check "a and b reach each other" within 10 both_reach a b 10.44.0.1 10.44.0.2
in_node a ip link set "$(device a)" txqueuelen 10

flooders=()
flood() { # ADDRESS: datagrams of one packet each, as fast as one process can
  exec ip netns exec "$tag-a" socat -u -b 1300 OPEN:/dev/zero "UDP-SENDTO:$1:9" >/dev/null 2>&1
}
for _ in 1 2 3; do
  flood 10.44.0.2 &
  flooders+=($!)
done
drops() { in_node a cat "/sys/class/net/$(device a)/statistics/tx_dropped"; }
overflows() { # the kernel drops what finds no room in the queue
  local before=$(drops)
  sleep 0.2
  [ "$(drops)" -gt "$before" ]
}
answers() { in_node a timeout 1 "$MESHD" show "$(device a)" >"$scratch/shown"; }
neighbour() { # PEER: the line of its Babel neighbour as a shows it
  answers && awk -v key="$(key_of "$1")" '$1 == "peer:" { ours = $2 == key } ours && $1 == "babel:"' "$scratch/shown"
}
# Delay is part of the cost, and a flood is delay.
is_neighbour() { neighbour "$1" | grep 'rxcost 96 txcost 96 ' | grep -qv ' cost 65535'; }
has_session() { in_node "$1" wg show "$(device "$1")" latest-handshakes | grep "$(key_of "$2")" | grep -qv $'\t0$'; }

check "the queue overflows" within 5 overflows
check "for 5 seconds show answers within one, and b stays a neighbour" throughout 5 is_neighbour b
up c
check "c comes: handshake" within 5 has_session a c
check "c comes: neighbour" within 10 is_neighbour c
check "c comes: both stay neighbours" eval 'throughout 5 is_neighbour b && throughout 2 is_neighbour c'
kill "${pid[c]}"
check "c goes" stopped_within 5 c
check "c goes: no neighbour" within 10 fails is_neighbour c
up c
check "c comes again" within 10 is_neighbour c
check "the queue still overflows" overflows

# The underlay to b becomes slow, so that the socket is full as well.
in_node a tc qdisc add dev to-b root tbf rate 20mbit burst 64kb limit 64mb
check "a slow way to b: show answers" throughout 3 answers
check "a slow way to b: c stays a neighbour" throughout 8 is_neighbour c
kill "${pid[c]}"
check "a slow way to b: c goes" stopped_within 5 c
up c
check "a slow way to b: c comes again" within 15 is_neighbour c
in_node a tc qdisc delete dev to-b root

if [ "${SLOW:-0}" = 1 ]; then
  first=$(in_node a wg show "$(device a)" latest-handshakes | grep "$(key_of b)" | cut -f 2)
  renewed() { [ "$(in_node a wg show "$(device a)" latest-handshakes | grep "$(key_of b)" | cut -f 2)" -gt "$first" ]; }
  check "the session with b is renewed under the flood" within 130 renewed
fi

for flooder in "${flooders[@]}"; do check "the flood never paused" kill "$flooder"; done
check "all is as before: a and b" within 5 both_reach a b 10.44.0.1 10.44.0.2
check "a and c" within 5 both_reach a c 10.44.0.1 10.44.0.3
check "20 echoes from b, none lost" pings b 10.44.0.1 20

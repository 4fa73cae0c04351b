# What it costs to know four endpoints of each of many peers while nothing is sent: processor time, datagrams, octets.
#
#   h ───── n1 … n100      each of them has four addresses; h knows them all
#
# SLOW=1 only; COUNT=300 for more of them.

. "${BASH_SOURCE%/*}/../lib.sh"
[ "$SLOW" = 1 ] || skip "takes three minutes; set SLOW=1"
count=${COUNT:-100}

nodes h
interface h "ListenPort = 51820" "Address = 10.44.0.254/32" "Babel = on"
for ((number = 1; number <= count; number++)); do
  node=n$number
  nodes $node
  link h $node
  endpoints=
  for host in 2 3 4 5; do
    [ $host = 2 ] || in_node $node ip address add "10.200.$number.$host/24" dev to-h
    endpoints+=", 10.200.$number.$host:51820"
  done
  peer h $node "Endpoint = ${endpoints#, }"
  interface $node "ListenPort = 51820" "Address = 10.44.$((1 + number / 250)).$((number % 250))/32" "Babel = on"
  peer $node h
done
for ((number = 1; number <= count; number++)); do
  start n$number "$MESHD" up -f --lanes 1 --state-dir "$scratch/n$number" "$(config n$number)"
done
up h

alive() { meshd_show h --json | grep -o '"state":"alive"' | wc -l; }
all_alive() { [ "$(alive)" -ge $((count * 4)) ]; }
check "all $((count * 4)) paths are alive" within 60 all_alive
ticks() { awk '{ print $14 + $15 }' "/proc/${pid[h]}/stat"; }
sent() { in_node h awk '/to-n/ { octets += $10; packets += $11 } END { print octets, packets }' /proc/net/dev; }
sleep 75 # a peer is at rest a minute after the last packet
read -r octets packets <<<"$(sent)"
time=$(ticks)
sleep 40
read -r later_octets later_packets <<<"$(sent)"
share=$(awk -v ticks=$(($(ticks) - time)) -v rate="$(getconf CLK_TCK)" 'BEGIN { printf "%.2f", ticks / rate / 40 * 100 }')
awk -v n="$count" -v o=$((later_octets - octets)) -v p=$((later_packets - packets)) \
  'BEGIN { printf "        each peer: %.2f datagrams and %.0f octets a second from h\n", p / n / 40, o / n / 40 }'
check "h takes $share % of a processor, at most 2 for 1000 peers" \
  awk -v is="$share" -v n="$count" 'BEGIN { exit !(is <= 2 * (n < 100 ? 100 : n) / 1000 + 0.3) }'

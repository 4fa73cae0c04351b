# Routers and hosts answer with ICMP errors what a sends. The kernel returns such an error to whatever call comes next; no
# packet to or from another peer is lost by that, and the lanes rest when the errors have stopped.
#
#   a ── r ── b        r has no route to b, or b no daemon
#   └─ c

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a r b c
link a r
link r b
link a c
in_node r sysctl -q net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0 net.ipv6.conf.all.forwarding=1
in_node b sysctl -q net.ipv4.icmp_ratelimit=0
in_node r sysctl -q net.ipv6.icmp.ratelimit=0 || true
in_node b sysctl -q net.ipv6.icmp.ratelimit=0 || true
for family in 4 6; do
  in_node a ip -"$family" route add "$(underlay b r $family)" via "$(underlay r a $family)"
  in_node b ip -"$family" route add "$(underlay a r $family)" via "$(underlay r b $family)"
done

busy_ticks() { # NODE: hundredths of a second that its daemon has worked
  local fields
  read -r -a fields <"/proc/${pid[$1]}/stat"
  echo $((fields[13] + fields[14]))
}
rests() { # NODE
  local before after
  sleep 0.3
  before=$(busy_ticks "$1")
  sleep 1
  after=$(busy_ticks "$1")
  echo "$((after - before)) ticks in a second"
  [ $((after - before)) -le 5 ]
}

# Bundles of small and of full-sized packets, so that there are trains among what meets the errors.
flood() { # ADDRESS
  exec ip netns exec "$tag-a" socat -u -b 1000 OPEN:/dev/zero "UDP-SENDTO:$1:9" >/dev/null 2>&1
}

for family in 4 6; do
  interface a
  endpoint=$(underlay b r $family)
  [ $family = 4 ] || endpoint="[$endpoint]"
  peer a b "Endpoint = $endpoint:51820" "AllowedIPs = 10.99.0.2/32"
  peer a c "Endpoint = $(underlay c a):51820" "AllowedIPs = 10.99.0.3/32"
  for node in b c; do
    interface "$node" "ListenPort = 51820"
    peer "$node" a "AllowedIPs = 10.99.0.1/32"
    start "$node" "$MESHD" wg -f "$(device "$node")"
  done
  start a "$MESHD" wg -f "$(device a)"
  for node in a b c; do within 5 test -S "$sockets/$(device "$node").sock"; done
  configure b 10.99.0.2/24
  configure c 10.99.0.3/24
  configure a 10.99.0.1/24
  check "IPv$family: a reaches b" pings a 10.99.0.2
  check "IPv$family: a reaches c" pings a 10.99.0.3

  in_node r ip -"$family" route add unreachable "$(underlay b r $family)" metric 1
  flood 10.99.0.2 &
  flooder=$!
  check "IPv$family: a router refuses what goes to b" fails reaches a 10.99.0.2
  check "IPv$family: 50 echoes from c, none lost" pings a 10.99.0.3 50
  check "IPv$family: 2 MB from c arrive intact" transfers c a 10.99.0.1 2
  kill "$flooder" && wait "$flooder" || true
  in_node r ip -"$family" route delete unreachable "$(underlay b r $family)" metric 1
  check "IPv$family: a reaches b again" within 5 reaches a 10.99.0.2

  kill -TERM "${pid[b]}"
  stopped_within 2 b
  flood 10.99.0.2 &
  flooder=$!
  check "IPv$family: b's port is closed, and c loses none of 50 echoes" pings a 10.99.0.3 50
  kill "$flooder" && wait "$flooder" || true
  check "IPv$family: a rests" rests a
  for node in a c; do
    kill -TERM "${pid[$node]}"
    stopped_within 2 "$node"
  done
done

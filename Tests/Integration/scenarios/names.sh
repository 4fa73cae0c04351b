# A peer's endpoint is a name. Its addresses are asked for as long as it is configured: when the network changes at once,
# and when they have grown old. A name server that fails takes nothing away.
#
#   a ═════════ b      two links; the name server is on a's loopback

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a b
link a b
first=$(underlay b a)
second=10.200.99.2
in_node a ip address add 10.200.99.1/24 dev to-b
in_node b ip address add $second/24 dev to-a
mesh_node b 2
peer b a "AllowedIPs = 10.44.0.1/32"
interface a "Address = 10.44.0.1/32"
peer a b "AllowedIPs = 10.44.0.2/32" "Endpoint = b.mesh.test:51820"
up b

zone=$scratch/a/zone
questions=$scratch/questions
: >"$zone"
echo "nameserver 127.0.0.1" >"$scratch/a/resolv.conf"
chmod 644 "$zone" "$scratch/a/resolv.conf"
name_server() {
  exec ip netns exec "$tag-a" "${BASH_SOURCE%/*}/../name-server" 127.0.0.1 "$zone" >>"$questions" 2>/dev/null
}
asked() { wc -l <"$questions"; }
asked_more_than() { [ "$(asked)" -gt "$1" ]; }
# The mount is seen by this process only and goes with it.
up_a() {
  start a sh -c 'mount --bind "$1" /etc/resolv.conf && exec "$2" up -f --state-dir "$3" "$4"' sh \
    "$scratch/a/resolv.conf" "$MESHD" "$scratch/a" "$(config a)"
  within 5 test -S "$sockets/$(device a).sock"
}

: >"$questions"
check "it comes up without a name server" up_a
name_server &
server=$!
check "one that comes later is found within ten seconds" within 15 asked_more_than 0
within 2 asked_more_than 1 || true # the other family
before=$(asked)
check "a name that does not exist is asked for again after ten seconds" within 15 asked_more_than "$before"
echo "b.mesh.test 3600 $first" >"$zone"
check "and its peer is reached when it does" within 15 reaches a 10.44.0.2

before=$(asked)
in_node a ip address add 10.77.0.1/24 dev lo
check "a change of the network has it asked for at once" within 2 asked_more_than "$before"
sleep 1.5
before=$(asked)
sleep 3
check "and once" [ "$(asked)" = "$before" ]
in_node a ip route add 198.51.100.0/24 dev to-b
sleep 1
check "a route that leads to no peer is none" [ "$(asked)" = "$before" ]

printf 'b.mesh.test 3600 %s\n' "$first" $second >"$zone"
before=$(asked)
in_node a ip address delete 10.77.0.1/24 dev lo
within 2 asked_more_than "$before"
in_node b ip address delete "$first/24" dev to-a
check "the peer is followed to another address" within 30 reaches a 10.44.0.2

kill "$server" && wait "$server" || true
in_node a ip address add 10.77.0.2/24 dev lo
check "a name server that fails takes nothing away" pings a 10.44.0.2 30
name_server &
server=$!
before=$(asked)
check "and is asked again" within 20 asked_more_than "$before"

[ "$SLOW" = 1 ] || exit 0
echo "b.mesh.test 5 $second" >"$zone"
in_node a ip address delete 10.77.0.2/24 dev lo
sleep 3
before=$(asked)
sleep 22
check "addresses that live for five seconds are kept for thirty" [ "$(asked)" = "$before" ]
check "and then asked for again" within 12 asked_more_than "$before"

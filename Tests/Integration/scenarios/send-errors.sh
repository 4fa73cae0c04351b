# The kernel refuses what a sends to b, for one reason after the other. The lanes go on: c is served all the while, and b is
# again as soon as the reason goes.
#
#   a ───╳─── b       EPERM, EACCES, EHOSTUNREACH, EINVAL, ENETUNREACH, a device that is down;
#   └──────── c       then ENOBUFS and EAGAIN for all

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a b c
link a b
link a c
interface a
peer a b "Endpoint = $(underlay b a):51820" "AllowedIPs = 10.99.0.2/32"
peer a c "Endpoint = $(underlay c a):51820" "AllowedIPs = 10.99.0.3/32"
for node in b c; do
  interface "$node" "ListenPort = 51820"
  peer "$node" a "AllowedIPs = 10.99.0.1/32"
done
start a "$MESHD" wg -f "$(device a)"
within 5 test -S "$sockets/$(device a).sock"
for node in b c; do wireguard "$node" ours; done
configure b 10.99.0.2/24
configure c 10.99.0.3/24
configure a 10.99.0.1/24
outside=$(underlay b a)

# Datagrams for b all the while, by the bundle, so that the refused ones are trains as well.
flood() {
  exec ip netns exec "$tag-a" socat -u -b 1000 OPEN:/dev/zero UDP-SENDTO:10.99.0.2:9 >/dev/null 2>&1
}
check "a reaches b" pings a 10.99.0.2
check "a reaches c" pings a 10.99.0.3

refused() { # TITLE COMMAND-THAT-STARTS-IT… -- COMMAND-THAT-ENDS-IT…
  local title=$1 begin=() flooder
  shift
  while [ "$1" != -- ]; do begin+=("$1") && shift; done
  shift
  flood &
  flooder=$!
  in_node a "${begin[@]}"
  check "$title: b is out of reach" fails reaches a 10.99.0.2
  check "$title: 10 echoes from c, none lost" pings a 10.99.0.3 10
  check "$title: the daemon answers" in_node a timeout 2 wg show "$(device a)"
  in_node a "$@"
  check "$title: it is over, and a reaches b" within 5 reaches a 10.99.0.2
  check "$title: the flood never paused" kill "$flooder"
  wait "$flooder" || true
  check "$title: 1 MB arrives intact" transfers a b 10.99.0.2 1
}

policy=(src 0.0.0.0/0 dst "$outside" dir out)
refused "EPERM" ip xfrm policy add "${policy[@]}" action block -- ip xfrm policy delete "${policy[@]}"
for kind in prohibit:EACCES unreachable:EHOSTUNREACH blackhole:EINVAL; do
  refused "${kind#*:}" ip route add "${kind%:*}" "$outside" -- ip route delete "${kind%:*}" "$outside"
done
refused "ENETUNREACH" ip route delete 10.200.1.0/24 dev to-b -- ip route add 10.200.1.0/24 dev to-b src "$(underlay a b)"
refused "device down" ip link set to-b down -- ip link set to-b up

# Two that no route can cause, for c as well. The control thread sends too, a keepalive each second.
for node in b c; do in_node a wg set "$(device a)" peer "$(key_of "$node")" persistent-keepalive 1; done
for error in ENOBUFS EAGAIN; do
  : >"$scratch/strace"
  strace -f -o /dev/null -e trace=sendmmsg -e inject=sendmmsg:error=$error -p "${pid[a]}" 2>"$scratch/strace" &
  tracer=$!
  within 5 grep -q attached "$scratch/strace"
  check "$error: nobody is in reach" fails pings a 10.99.0.3 20
  check "$error: the daemon answers" in_node a timeout 2 wg show "$(device a)"
  kill -INT "$tracer" && wait "$tracer" || true
  check "$error: it is over, and a reaches b" within 5 reaches a 10.99.0.2
  check "$error: and c" within 5 reaches a 10.99.0.3
done

# The way outside carries less than a full packet of the tunnel: 1280 octets where it needs 1480 or more.
#
#              1280
#   a ───── r ═════ b      r routes; the sender's own link is wide, so only r notices. Then a's own link is narrow as well.
#   10.99.0.1  10.99.0.2   MTU 1420 inside: what is too large outside travels in fragments, as with stock WireGuard
#   fd99::1    fd99::2

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a r b
link a r
link r b
in_node r ip link set to-b mtu 1280
in_node b ip link set to-r mtu 1280
in_node r sysctl -q net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
for node in a b; do
  gateway=$(underlay r "$node")
  in_node "$node" ip route add default via "$gateway"
  in_node "$node" ip -6 route add default via "$(underlay r "$node" 6)"
done

full_pings() { # NODE ADDRESS OVERHEAD: echoes that fill the MTU of the tunnel, DF set
  in_node "$1" ping -n -q -c 10 -i 0.05 -W 2 -M "do" -s $((1420 - $3)) "$2"
}
too_large() { in_node "$1" ping -n -c 1 -W 2 -M "do" -s 1393 "$2"; } # one octet more than the tunnel takes
keeps_trains() { in_node a "$MESHD" show "$(device a)" | grep -q "offloads: .*ipv$family gso gro"; }

pair() { # DAEMON-OF-B UNDERLAY-FAMILY TITLE
  local title=$3
  family=$2
  interface a
  peer a b "Endpoint = $(bracketed "$(underlay b r "$2")"):51820" "AllowedIPs = 10.99.0.2/32, fd99::2/128"
  interface b "ListenPort = 51820"
  peer b a "AllowedIPs = 10.99.0.1/32, fd99::1/128"
  wireguard a ours
  wireguard b "$1"
  configure b 10.99.0.2/24 fd99::2/64
  configure a 10.99.0.1/24 fd99::1/64

  check "$title: the tunnel is up" pings a 10.99.0.2
  # The first large one may be what tells the sender of the path's MTU.
  check "$title: a full packet gets through to b" within 5 full_pings a 10.99.0.2 28
  check "$title: and back to a, with IPv6 inside" within 5 full_pings b fd99::1 48
  check "$title: ten full packets, none lost" full_pings a fd99::2 48
  check "$title: a larger one is answered at once" fails too_large a 10.99.0.2
  check "$title: 10 MB from a to b arrive intact" transfers a b 10.99.0.2 10
  check "$title: 10 MB from b to a arrive intact" transfers b a fd99::1 10
  case $MESHD in *wireguard-go) ;; *) check "$title: trains are still used" keeps_trains ;; esac

  rm "$sockets/$(device a).sock" "$sockets/$(device b).sock"
  check "$title: both daemons end with their sockets" within 5 both_idle
}

both_idle() { is_idle a && is_idle b; }

pair ours 4 "over IPv4"
pair ours 6 "over IPv6"
pair stock 4 "to stock over IPv4"
pair stock 6 "to stock over IPv6"
in_node a ip link set to-r mtu 1280
in_node r ip link set to-a mtu 1280
pair ours 4 "narrow from the start, over IPv4"
pair ours 6 "narrow from the start, over IPv6"

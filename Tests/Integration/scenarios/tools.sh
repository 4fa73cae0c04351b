# The stock tools drive meshd: wg show, showconf, set, syncconf; wg-quick up and down.
#
#   a (meshd) ───────── b (wireguard-go)
#   10.99.0.1           10.99.0.2

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a b
link a b

wg_a() { # SUBCOMMAND ARGUMENT…: wg in a, on its device
  local subcommand=$1
  shift
  in_node a wg "$subcommand" "$(device a)" "$@"
}

# Part 1: wg.
interface a "ListenPort = 51821" "FwMark = 0x2a"
peer a b "Endpoint = $(underlay b a):51820" "AllowedIPs = 10.99.0.2/32, fd99::2/128" "PersistentKeepalive = 25"
interface b "ListenPort = 51820"
peer b a "AllowedIPs = 10.99.0.1/32, fd99::1/128"
wireguard a ours
wireguard b stock
configure b 10.99.0.2/24 fd99::2/64
configure a 10.99.0.1/24 fd99::1/64
check "the tunnel carries data" pings a 10.99.0.2

shows() { # FIELD EXPECTED
  local value
  value=$(wg_a show "$1")
  echo "wg show $1: $value"
  [ "$value" = "$2" ]
}

b_key=$(key_of b)
check "wg show: public key" shows public-key "$(key_of a)"
check "wg show: private key" shows private-key "$(private_key_of a)"
check "wg show: port" shows listen-port 51821
check "wg show: mark" shows fwmark 0x2a
check "wg show: peers" shows peers "$b_key"
check "wg show: preshared keys" shows preshared-keys "$b_key"$'\t'"(none)"
check "wg show: endpoints" shows endpoints "$b_key"$'\t'"$(underlay b a):51820"
check "wg show: allowed IPs" shows allowed-ips "$b_key"$'\t'"10.99.0.2/32 fd99::2/128"
check "wg show: keepalive" shows persistent-keepalive "$b_key"$'\t'25

recent_handshake() {
  local age
  age=$(($(date +%s) - $(wg_a show latest-handshakes | cut -f 2)))
  [ "$age" -ge 0 ] && [ "$age" -lt 60 ]
}
counts_bytes() { wg_a show transfer | awk '{ exit !($2 > 300 && $3 > 300) }'; }
check "wg show: latest handshake is recent" recent_handshake
check "wg show: transfer counts both ways" counts_bytes

wg_a showconf >"$scratch/a/shown"
shown_again() { # setconf of what showconf printed gives the same
  wg_a setconf "$scratch/a/shown" && wg_a showconf | cmp - "$scratch/a/shown"
}
check "wg showconf, and wg setconf of it, agree" shown_again
check "the tunnel still carries data" pings a 10.99.0.2

check "wg set … allowed-ips takes a prefix away" wg_a set peer "$b_key" allowed-ips fd99::2/128
check "no packet goes there any more" fails reaches a 10.99.0.2
check "wg set … allowed-ips gives it back" wg_a set peer "$b_key" allowed-ips 10.99.0.2/32,fd99::2/128
check "packets go there again" within 5 reaches a 10.99.0.2

other_key=$(wg genkey | wg pubkey)
moved() {
  wg_a set peer "$other_key" allowed-ips 10.99.0.2/32 && shows allowed-ips \
    "$b_key"$'\t'"fd99::2/128"$'\n'"$other_key"$'\t'"10.99.0.2/32"
}
check "a prefix given to another peer moves" moved

before=$(wg_a show latest-handshakes | grep "$b_key")
sync_configuration() { # the other peer goes, b stays as it is
  wg_a syncconf "$(config a)" && shows peers "$b_key"
}
check "wg syncconf removes what the file does not name" sync_configuration
check "and leaves the session of the rest alone" test "$before" = "$(wg_a show latest-handshakes)"
check "packets go through it" pings a 10.99.0.2
rm "$sockets/$(device a).sock"
check "the daemon ends with its socket" within 5 is_idle a

# Part 2: wg-quick, which calls the userspace implementation by itself.
interface a "Address = 10.99.0.1/24, fd99::1/64" "MTU = 1400" "PostUp = ip link set %i alias hooked"
peer a b "Endpoint = $(underlay b a):51820" "AllowedIPs = 10.99.0.2/32, fd99::2/128, 10.77.0.0/16"
quick() { # up|down
  in_node a env WG_QUICK_USERSPACE_IMPLEMENTATION="$MESHD" wg-quick "$1" "$(config a)"
}
link_shows() { in_node a ip link show "$(device a)" | grep -q "$1"; }
check "wg-quick up" quick up
check "the tunnel carries data" pings a 10.99.0.2
check "MTU as in the file" link_shows "mtu 1400"
check "PostUp was run" link_shows "alias hooked"
check "the route to an allowed prefix is there" in_node a ip route get 10.77.1.1
check "wg-quick down" quick down
check "the daemon ended, interface and socket are gone" within 5 is_idle a
check "no socket" fails test -e "$sockets/$(device a).sock"

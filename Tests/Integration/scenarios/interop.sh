# meshd and Debian's wireguard-go understand each other in either role, and meshd understands itself.
#
#        a ───────── veth ───────── b           a knows b's endpoint and is the initiator;
#   10.99.0.1                   10.99.0.2       b learns a's and is the responder.
#   fd99::1                     fd99::2         Underlay: IPv4, then IPv6. With and without preshared key.

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a b
link a b
wg genpsk >"$scratch/psk"

pair() { # DAEMON-OF-A DAEMON-OF-B UNDERLAY-FAMILY SECRET
  local secret=() title="$1 → $2 over IPv$3 $4"
  [ "$4" = "without preshared key" ] || secret=("PresharedKey = $(cat "$scratch/psk")")
  interface a
  peer a b "Endpoint = $(bracketed "$(underlay b a "$3")"):51820" "AllowedIPs = 10.99.0.2/32, fd99::2/128" "${secret[@]}"
  interface b "ListenPort = 51820"
  peer b a "AllowedIPs = 10.99.0.1/32, fd99::1/128" "${secret[@]}"
  wireguard a "$1"
  wireguard b "$2"
  configure b 10.99.0.2/24 fd99::2/64
  configure a 10.99.0.1/24 fd99::1/64

  check "$title: a pings b" pings a 10.99.0.2
  check "$title: b pings a" pings b fd99::1
  check "$title: 10 MB from a to b arrive intact" transfers a b 10.99.0.2 10
  check "$title: 10 MB from b to a arrive intact" transfers b a fd99::1 10

  rm "$sockets/$(device a).sock" "$sockets/$(device b).sock"
  check "$title: both daemons end with their sockets" within 5 both_idle
}

both_idle() { is_idle a && is_idle b; }

for family in 4 6; do
  for secret in "without preshared key" "with preshared key"; do
    pair ours ours "$family" "$secret"
    pair ours stock "$family" "$secret"
    pair stock ours "$family" "$secret"
  done
done

# `meshd up` of a file without meshd's keys has wg-quick's effect: addresses, MTU, routes, a default route, hooks.
#
#   a (meshd up) ───────── b (wireguard-go)
#   10.99.0.1/24           10.99.0.2, and 198.51.100.1 behind it
#
# a's default route leads into the tunnel; the UDP packets that carry it must not.

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a b
link a b
hooks=$scratch/a/hooks
interface b "ListenPort = 51820"
peer b a "AllowedIPs = 10.99.0.1/32, fd99::1/128"
wireguard b stock
configure b 10.99.0.2/24 fd99::2/64
in_node b ip address add 198.51.100.1/32 dev lo
in_node b ip address add 2001:db8::1/128 dev lo

plain_file() { # LINE…: a's file, with the lines in [Interface]
  interface a "Address = 10.99.0.1/24" "Address = fd99::1/64" "MTU = 1380" "DNS = 10.99.0.2" "$@"
}
background_up() { in_node a "$MESHD" up --state-dir "$scratch/a" "$(config a)"; }
down() { in_node a "$MESHD" down "$(config a)"; }
gone() { is_idle a && ! in_node a ip link show "$(device a)" && ! test -e "$sockets/$(device a).sock"; }
rules() { in_node a ip rule; in_node a ip -6 rule; in_node a ip route; in_node a ip -6 route; }
untouched=$(rules)

plain_file "PreUp = echo PreUp %i >>$hooks" "PostUp = echo PostUp %i >>$hooks; ip link show %i >/dev/null" \
  "PreDown = echo PreDown %i >>$hooks; ip link show %i >/dev/null" "PostDown = echo PostDown %i >>$hooks"
peer a b "Endpoint = $(underlay b a):51820" "AllowedIPs = 10.99.0.0/24, fd99::/64, 203.0.113.0/24"
check "meshd up returns when the interface is up" background_up
check "the tunnel carries data" pings a 10.99.0.2
check "IPv6 too" pings a fd99::2
check "MTU as in the file" eval 'in_node a ip link show "$(device a)" | grep -q "mtu 1380"'
check "an allowed prefix is a route" has_route a 203.0.113.0/24 42
check "stock wg sees the peer" eval '[ "$(in_node a wg show "$(device a)" peers)" = "$(key_of b)" ]'
check "meshd down" down
check "leaves nothing" within 2 gone
check "no route and no rule either" test "$untouched" = "$(rules)"
words=$(device a)
check "each hook ran once, in order" test "$(cat "$hooks")" = \
  "$(printf '%s\n' "PreUp $words" "PostUp $words" "PreDown $words" "PostDown $words")"

plain_file
peer a b "Endpoint = $(underlay b a):51820" "AllowedIPs = 0.0.0.0/0, ::/0"
check "a default route" background_up
check "leads what is behind b into the tunnel" pings a 198.51.100.1
check "of both families" pings a 2001:db8::1
check "but not the underlay" eval 'in_node a ip route get "$(underlay b a)" | grep -q to-b'
check "our own packets carry the mark" eval '[ "$(in_node a wg show "$(device a)" fwmark)" = 0xca6c ]'
check "meshd down" down
check "leaves nothing" within 2 gone
check "no route and no rule either" test "$untouched" = "$(rules)"

plain_file "Table = off"
peer a b "Endpoint = $(underlay b a):51820" "AllowedIPs = 0.0.0.0/0, ::/0"
check "Table = off" background_up
check "makes no route" test -z "$(in_node a ip route show table all proto 42)"
check "meshd down" down

plain_file "Table = 77"
peer a b "Endpoint = $(underlay b a):51820" "AllowedIPs = 203.0.113.0/24"
check "Table = 77" background_up
check "has the route there" eval 'in_node a ip route show table 77 | grep -q 203.0.113.0/24'
check "and not in the main table" fails has_route a 203.0.113.0/24 42
check "meshd down" down
check "leaves nothing" within 2 gone

plain_file "PostUp = false"
peer a b "AllowedIPs = 203.0.113.0/24"
check "a failing PostUp is a failure" fails background_up
check "and leaves nothing" within 2 gone

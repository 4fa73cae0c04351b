# Two exits, each for sources of its own (RFC 9079): stock babeld announces ::/0 from its site's prefix, and a host with an
# address of both sites leaves by the one its source belongs to. No policy rule on m.
#
#                        ┌──── x  wireguard-go, babeld: ::/0 from fd44:1::/32
#   c ───────── m ───────┤
#   fd44:1::c            └──── y  wireguard-go, babeld: ::/0 from fd44:2::/32
#   fd44:2::c                  outside, behind both: 2001:db8::1

. "${BASH_SOURCE%/*}/../lib.sh"

nodes c m x y
link c m
link m x
link m y
mesh_node c 1 m
sed -i 's|^Address.*|Address = fd44:1::c/128, fd44:2::c/128, 10.44.0.1/32|' "$(config c)"
mesh_node m 2 c x y
exit_node() { # NODE SITE
  stock_end "$1" m fe80::5/64
  in_node "$1" ip address add 2001:db8::1/128 dev lo nodad
  in_node "$1" ip -6 route add default dev lo proto static
  start "$1" babeld -d 1 -I "$scratch/$1/babeld.pid" -S "$scratch/$1/babeld-state" \
    -C "interface $(device "$1") type tunnel" -C "redistribute ip ::/0 eq 0 proto 4 src-prefix fd44:$2::/32 allow" \
    -C "redistribute local deny"
}
rules_before=$(in_node m ip -6 rule)
host_before=$(in_node c ip -6 route show; in_node c ip -6 rule; in_node c ip rule)
up m
up c
exit_node x 1
exit_node y 2

echoes() { in_node "$1" cat /proc/net/snmp6 | awk '$1 == "Icmp6InEchos" { print $2 }'; } # NODE: that it has answered
leaves_by() { # EXIT OTHER SOURCE
  local mine others
  mine=$(echoes "$1")
  others=$(echoes "$2")
  in_node c ping -n -q -c 5 -i 0.1 -W 2 -I "$3" 2001:db8::1 || return
  [ $(($(echoes "$1") - mine)) = 5 ] && [ "$(echoes "$2")" = "$others" ]
}
check "S4.1 what comes from the first site leaves by x" within 20 leaves_by x y fd44:1::c
check "what comes from the second leaves by y" within 20 leaves_by y x fd44:2::c
check "S4.1 m has no policy rule for that" test "$rules_before" = "$(in_node m ip -6 rule)"
no_plain_default() { ! in_node c ip -6 route show | grep -qE "^(default|::/0) dev"; }
check "c has no default route for other sources" no_plain_default
check "but one for each address" test 2 = \
  "$(in_node c ip -6 route show | grep -cE "^default from fd44:[12]::c dev $(device c) proto babel")"

kill -TERM "${pid[x]}"
lost() { ! reaches_from fd44:1::c && reaches_from fd44:2::c; }
reaches_from() { in_node c ping -n -q -c 1 -W 1 -I "$1" 2001:db8::1; }
check "without x nothing from its site leaves by y" within 20 lost

{ kill -KILL "${pid[c]}" && wait "${pid[c]}"; } 2>/dev/null || true
check "c crashes" stopped_within 2 c
host_after() { in_node c ip -6 route show; in_node c ip -6 rule; in_node c ip rule; }
as_before() { [ "$host_before" = "$(host_after)" ]; }
rm -f "$sockets/$(device c).sock"
up c
check "a new one finds y again" within 20 leaves_by y x fd44:2::c
kill -TERM "${pid[c]}"
check "it ends" stopped_within 2 c
check "and leaves routes and rules as they were" within 2 as_before

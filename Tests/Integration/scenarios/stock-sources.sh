# Source-specific routes (RFC 9079) to and from stock babeld, and through meshd between two of them.
#
#   x ────────────────────── m ────────────────────── s
#   babeld                   meshd                    babeld
#   ::/0 from fd44:1::/32    fd45::/32 from fd44:1::/32

. "${BASH_SOURCE%/*}/../lib.sh"

nodes x m s
link x m
link s m
stock_interface x m fe80::1/64 fd44:1::1/128
stock_interface s m fe80::1/64 fd44:1::3/128 fd44:2::3/128
mesh_node m 2
peer m x
peer m s
add_to m "Announce = fd45::/32 from fd44:1::/32"
in_node x ip address add 2001:db8::1/128 dev lo nodad
in_node x ip -6 route add default dev lo proto static
up m
start x babeld -d 1 -I "$scratch/x/babeld.pid" -S "$scratch/x/babeld-state" \
  -C "interface $(stock_device x m) type tunnel" -C "redistribute local ip fd44::/16" \
  -C "redistribute ip ::/0 eq 0 proto 4 src-prefix fd44:1::/32 allow" -C "redistribute local deny"
babeld s wired m

link_local=$("$MESHD" addr "$(key_of m)" | grep -o 'fe80::[^ /]*' | head -n 1)
kernel_has() { stock_routes "$1" | grep -qx "$2 from fd44:1::/32 via $link_local"; } # NODE PREFIX
check "s has the default route of x for sources of the site" within 30 kernel_has s default
check "s has that of m" within 10 kernel_has s fd45::/32
check "x has that of m" within 10 kernel_has x fd45::/32
no_plain() { ! stock_routes "$1" | grep -qE "^(default|fd45::/32) via"; }
check "s has none for other sources" no_plain s
check "x has none either" no_plain x
check "x has a way back" within 10 eval 'stock_routes x | grep -q "^fd44:1::3 via"'
check "from an address of the site s reaches what is behind x" in_node s ping -n -q -c 5 -i 0.1 -W 2 -I fd44:1::3 2001:db8::1
check "from another it does not" fails in_node s ping -n -q -c 1 -W 1 -I fd44:2::3 2001:db8::1
sed -i '/^Announce/d' "$(config m)"
check "m takes its route back" in_node m "$MESHD" reload "$(config m)"
check "and s has it no more" within 5 fails kernel_has s fd45::/32
kill -TERM "${pid[x]}"
check "x ends, and s has its default route no more" within 15 fails kernel_has s default

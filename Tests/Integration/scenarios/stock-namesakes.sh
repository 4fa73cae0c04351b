# Several stock neighbours of one meshd, all with the link-local address fe80::1, of either daemon and link type. Whatever
# they run, the kernel routes they end up with are the same.
#
#   p  babeld, tunnel ──┐
#   q  babeld, wired ───┼── m ────── f       10.44.0.1 … 10.44.0.5, fd44::1 … fd44::5: p q r m f
#   r  BIRD, wired ─────┘   meshd    meshd

. "${BASH_SOURCE%/*}/../lib.sh"

nodes p q r m f
for node in p q r f; do link "$node" m; done
number=0
for node in p q r; do
  number=$((number + 1))
  stock_interface "$node" m fe80::1/64 10.44.0.$number/32 fd44::$number/128
done
mesh_node m 4 f
for node in p q r; do peer m "$node"; done
add_to m "Announce = 10.45.0.0/16, fd45::/32"
mesh_node f 5 m
up m
up f
babeld p tunnel m
babeld q wired m
bird r 3 m

addresses() { for number in 1 2 3 4 5; do echo "10.44.0.$number" "fd44::$number"; done; }
reach_all() { # NODE…
  local node address
  for node; do for address in $(addresses); do reaches "$node" "$address" || return; done; done
}
check "everybody reaches everybody, both families" within 40 reach_all p q r m f

# What all three have learned of the rest, without what they are themselves.
common() { stock_routes "$1" | grep -Ev '^(10\.44\.0\.[123]|fd44::[123]) '; } # NODE
link_local=$("$MESHD" addr "$(key_of m)" | grep -o 'fe80::[^ /]*' | head -n 1)
cat >"$scratch/expected" <<END
10.44.0.4 via 10.44.0.4
10.44.0.5 via 10.44.0.4
10.45.0.0/16 via 10.44.0.4
fd44::4 via $link_local
fd44::5 via $link_local
fd45::/32 via $link_local
END
has_expected() { diff "$scratch/expected" <(common "$1"); }
for node in p q r; do check "$node has the kernel routes it should have, and no others" within 10 has_expected "$node"; done
three_neighbours() {
  local neighbours
  neighbours=$(in_node m "$MESHD" neighbours "$(device m)")
  echo "$neighbours"
  [ "$(grep -c "address fe80::1 " <<<"$neighbours")" = 3 ]
}
check "m has three neighbours called fe80::1" three_neighbours

# They stay neighbours, and each is only itself.
has_only_theirs() { # NODE: the others' routes lead by m
  [ "$(stock_routes "$1" | grep -cE '^(10\.44\.0\.[123]|fd44::[123]) via')" = 4 ]
}
for node in p q r; do check "$node has its namesakes' addresses" within 5 has_only_theirs "$node"; done
kill -TERM "${pid[q]}"
check "one ends, and only its addresses go" within 10 fails reaches f 10.44.0.2
check "the others' stay" eval "reaches f 10.44.0.1 && reaches f 10.44.0.3"
babeld q wired m
check "it returns" within 30 reaches f 10.44.0.2

# Ways with MTUs of their own: the smaller of two breaks nothing, in use or not, and a large one is used.
#
#        ┌── p (1280) ──┐        a: 10.44.0.1, fd44::1; m: 10.44.0.2, fd44::2; both meshd
#   a ───┤              ├─── m   q is slower; a's links to p and q go through the emulator
#        └── q (1500) ──┘
#   a ══════ 9000 ══════ j       j: 10.44.0.3

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a m j p q
for router in p q; do
  emulated_link a $router
  link $router m
  router $router a m
done
link a j
in_node a ip link set to-j mtu 9000
in_node j ip link set to-a mtu 9000
impair a q both delay 15ms

mesh_node a 1 j
peer a m "Endpoint = $(at m p), $(at m q)"
mesh_node m 2
peer m a
mesh_node j 3 a
begin() { # NODE…: anew
  local node
  for node; do
    [ -z "${pid[$node]:-}" ] || { kill "${pid[$node]}" && wait "${pid[$node]}" || true; }
    up "$node"
  done
}

# Each size from the smallest to a full packet of the interface: with leave to fragment all of them arrive.
any_size() { # FROM TO
  local size
  for size in 100 1100 1180 1200 1220 1240 1280 1300 1380 1420; do
    in_node "$1" ping -n -q -c 2 -i 0.05 -W 1 -M dont -s $((size - 28)) "$2" || return
  done
}
# Without leave, what does not fit is told, and what was told fits.
discovered() { # FROM TO: the largest packet to it that is said to fit
  local answer
  for _ in 1 2 3; do answer=$(in_node "$1" ping -n -c 1 -W 1 -M "do" -s 1392 "$2" 2>&1 || true); done
  echo "$answer" >&2
  sed -n 's/.*mtu[ =]*\([0-9]*\).*/\1/p' <<<"$answer" | tail -n 1 | grep . || echo 1420
}
fits() { # FROM TO
  local size
  size=$(discovered "$1" "$2")
  echo "it is $size"
  in_node "$1" ping -n -q -c 5 -i 0.05 -W 1 -M "do" -s $((size - 28)) "$2"
}
mtu_of() { paths a m | awk -v is="$(at m "$1")" '$1 == is { print $7 }'; }
mtu_is() { # ROUTER LOW HIGH
  paths a m
  local mtu
  mtu=$(mtu_of "$1")
  [ "$mtu" -ge "$2" ] && [ "$mtu" -le "$3" ]
}
carries() { # TITLE
  took 15 any_size a 10.44.0.2 || true
  check "$1: packets of all sizes reach m after $milliseconds ms" any_size a 10.44.0.2
  check "$1: and a" any_size m 10.44.0.1
  check "$1: what is said to fit does" fits a 10.44.0.2
  check "$1: IPv6 of 1280 octets" in_node a ping -n -q -c 5 -i 0.05 -W 1 -M "do" -s 1232 fd44::2
  check "$1: 5 MB to m" transfers a m 10.44.0.2 5
  check "$1: 5 MB to a" transfers m a 10.44.0.1 5
  check "$1: 5 MB over IPv6" transfers a m fd44::2 5
}

for link in "p to-m" "m to-p"; do in_node ${link% *} ip link set ${link#* } mtu 1280; done
begin j m a
check "the mesh works" within 5 reaches a 10.44.0.2
check "of the two ways, the small one is in use" within 5 uses a m p
carries "1280 octets, and a router that says so"
check "the path's MTU is known" within 10 mtu_is p 1180 1248
check "and the other's" within 10 mtu_is q 1390 1472

for link in "p to-m" "m to-p"; do in_node ${link% *} ip link set ${link#* } mtu 1500; done
for node in a m; do in_node $node ip route flush cache; done
impair a p both mtu 1280
begin m a
check "the mesh works" within 5 reaches a 10.44.0.2
check "the small one is in use" within 5 uses a m p
carries "1280 octets, and nobody says so"
check "the path's MTU is known" within 15 mtu_is p 1180 1248

in_node a ping -n -q -i 0.02 -c 50 -W 1 10.44.0.2 >"$scratch/echoes" &
echoes=$!
impair a p both loss 100%
wait $echoes || true
check "by the other way, full packets again" fits a 10.44.0.2
check "5 MB of them" transfers a m 10.44.0.2 5
impair a p both clear

# --- Jumbo frames --------------------------------------------------------------------------------------------------------

jumbo_path() { paths a j | tee /dev/stderr | awk '$7 >= 8800 { found = 1 } END { exit !found }'; }
sed -i "/^Babel/a MTU = 8900" "$(config a)" "$(config j)"
begin j a
check "with MTU = 8900, packets of that size reach j whole" within 10 \
  in_node a ping -n -q -c 5 -i 0.05 -W 1 -M "do" -s 8872 10.44.0.3
check "the path's MTU is known" within 10 jumbo_path
check "to m go smaller ones" within 10 any_size a 10.44.0.2
check "what is said to fit does" within 5 fits a 10.44.0.2
check "5 MB to m" transfers a m 10.44.0.2 5
check "5 MB to j" transfers a j 10.44.0.3 5

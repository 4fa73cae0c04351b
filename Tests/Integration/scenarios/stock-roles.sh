# Stock routers in every role: babeld and BIRD as leaf, as transit and as origin, with meshd between them and at its
# own ends. All learn the same routes, and what they put into the kernel is the same.
#
#   1        2        3        4        5        6        7
#   x ────── a ────── b ────── m ────── i ────── c ────── y
#   babeld   meshd    babeld   meshd    BIRD     meshd    BIRD        10.44.0.N, fd44::N
#   tunnel            wired             wired             wired

. "${BASH_SOURCE%/*}/../lib.sh"

nodes x a b m i c y
link x a
link a b
link b m
link m i
link i c
link c y

stock_interface x a fe80::1/64 10.44.0.1/32 fd44::1/128
stock_interface b a fe80::1/64 10.44.0.3/32 fd44::3/128
stock_interface b m fe80::1/64 10.44.0.3/32
stock_interface i m fe80::1/64 10.44.0.5/32 fd44::5/128
stock_interface i c fe80::1/64 10.44.0.5/32
stock_interface y c fe80::1/64 10.44.0.7/32 fd44::7/128
mesh_node a 2
peer a x
peer a b
mesh_node m 4
peer m b
peer m i
mesh_node c 6
peer c i
peer c y
for node in a m c; do up "$node"; done
bird i 5 m c
bird y 7 c
babeld x tunnel a
babeld b wired a m

# The routes of the node in place POSITION, whose neighbours in the line are LEFT and RIGHT.
expected() { # NODE POSITION
  local number side
  for number in 1 2 3 4 5 6 7; do
    [ "$number" != "$2" ] || continue
    side=$(neighbour "$2" "$number")
    echo "10.44.0.$number via 10.44.0.$((side))"
    echo "fd44::$number via $(link_local "$side")"
  done | sort
}
neighbour() { [ "$2" -lt "$1" ] && echo $(($1 - 1)) || echo $(($1 + 1)); } # POSITION TO
link_local() { # POSITION of a meshd
  local names=(- x a b m i c y)
  "$MESHD" addr "$(key_of "${names[$1]}")" | grep -o 'fe80::[^ /]*' | head -n 1
}
has_exactly() { # NODE POSITION: no route more, none less
  diff <(expected "$1" "$2") <(stock_routes "$1")
}
check "x, a babeld leaf, has the kernel routes to everybody by a, and no others" within 40 has_exactly x 1
check "b, a babeld between two meshds, by either side" within 10 has_exactly b 3
check "i, a BIRD between two meshds, by either side" within 10 has_exactly i 5
check "y, a BIRD leaf, by c" within 10 has_exactly y 7
all_reach_all() {
  local node number
  for node in x a b m i c y; do
    for number in 1 2 3 4 5 6 7; do reaches "$node" "10.44.0.$number" && reaches "$node" "fd44::$number" || return; done
  done
}
check "everybody reaches everybody, both families" within 20 all_reach_all
check "x reaches y across all of them, none lost" in_node x ping -n -q -c 20 -i 0.05 -W 2 10.44.0.7
check "over IPv6 as well" in_node y ping -n -q -c 20 -i 0.05 -W 2 fd44::1
check "2 MB from x to y arrive intact" transfers x y fd44::7 2

# An origin goes and returns at either end, and the news crosses babeld, BIRD and meshd.
knows() { stock_routes "$1" | grep -q "^$2 "; }
kill -TERM "${pid[y]}"
check "y ends: x has no route to it" within 30 fails knows x 10.44.0.7
bird y 7 c
check "y returns: x has one again" within 30 knows x 10.44.0.7
kill -TERM "${pid[x]}"
check "x ends: y has no route to it" within 30 fails knows y fd44::1
babeld x tunnel a
check "x returns: y has one again" within 30 knows y fd44::1

# A ring of four loses a link: packets go the other way round. The link returns: so do the packets.
#
#        a ────── b
#        │        │         cut: a ─╳─ b
#        d ────── c         10.44.0.1 … 10.44.0.4

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a b c d
link a b
link b c
link c d
link d a
mesh_node a 1 b d
mesh_node b 2 a c
mesh_node c 3 b d
mesh_node d 4 c a
for node in a b c d; do up "$node"; done

all_reach_all() {
  local node number
  for node in a b c d; do
    for number in 1 2 3 4; do reaches "$node" "10.44.0.$number" && reaches "$node" "fd44::$number" || return; done
  done
}
check "everybody reaches everybody" within 20 all_reach_all
check "a reaches b directly" within 10 path_is a 10.44.0.2 10.44.0.2

sever a b
started=${EPOCHREALTIME/[.,]/}
check "a and b reach each other without their link" within 20 both_reach a b 10.44.0.1 10.44.0.2
check "within $(((${EPOCHREALTIME/[.,]/} - started) / 1000)) ms, through d and c" \
  path_is a 10.44.0.2 10.44.0.4 10.44.0.3 10.44.0.2
check "20 echoes, none lost" pings a 10.44.0.2 20
check "IPv6 too" pings b fd44::1 20

mend a b
started=${EPOCHREALTIME/[.,]/}
check "the link returns, and the direct path is taken" within 60 path_is a 10.44.0.2 10.44.0.2
check "after $(((${EPOCHREALTIME/[.,]/} - started) / 1000)) ms; from b as well" within 20 path_is b fd44::1 fd44::1
check "20 echoes, none lost" pings a 10.44.0.2 20

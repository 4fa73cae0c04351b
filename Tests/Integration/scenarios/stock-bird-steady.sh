# BIRD with its default limits beside meshd for five minutes, with traffic for the first half and without for the second:
# the adjacency never falters and no route changes.
#
#   r ────── m ────── f
#   BIRD     meshd    meshd       10.44.0.1 … 10.44.0.3

. "${BASH_SOURCE%/*}/../lib.sh"

[ "${SLOW:-0}" = 1 ] || skip "takes five minutes; set SLOW=1"
nodes r m f
link r m
link m f
stock_interface r m fe80::1/64 10.44.0.1/32 fd44::1/128
mesh_node m 2 f
peer m r
mesh_node f 3 m
up m
up f
bird r 1 m
both_know() { reaches r 10.44.0.3 && reaches r fd44::3 && reaches f 10.44.0.1 && reaches f fd44::1; }
check "r and f reach each other" within 30 both_know

# What BIRD's timers need to be full: 16 Hellos of one second.
heard() { birdc r show babel neighbors | awk -v n="$1" '$2 == "'"$(stock_device r m)"'" { ok = $5 >= n } END { exit !ok }'; }
check "r has heard 16 Hellos of 16" within 30 heard 16
start_monitor() { exec ip netns exec "$tag-$1" ip monitor route >"$scratch/$1/changes" 2>&1 & }
start_monitor r
start_monitor f
switches() { grep -c "neighbour\|neighbor" "$scratch/m/log" || true; }
before=$(switches)
hears() { heard 15; }
check "for 150 s with traffic r misses no two Hellos" eval \
  'in_node r ping -n -q -i 0.1 -c 1500 10.44.0.3 >"$scratch/ping" & throughout 150 eval "hears && sleep 1"; wait $!'
check "and loses no packet" grep -q " 0% packet loss" "$scratch/ping"
check "for 150 s without traffic neither" throughout 150 eval "hears && sleep 1"
check "no route of r changed" test ! -s "$scratch/r/changes"
check "nor of f" test ! -s "$scratch/f/changes"
check "m has nothing to say about its neighbours" test "$before" = "$(switches)"

# Ten minutes of jitter move nothing: of two paths of 10 and 40 ms, each ± 5 ms, the first keeps the traffic.
#
#             10 ± 5 ms  b     0 ms
#          ┌────────────  10.44.0.2  ──────────┐
#   a ─────┤                                   ├───── d
#   .1     └────────────  10.44.0.3  ──────────┘     .4
#             40 ± 5 ms  c     0 ms

. "${BASH_SOURCE%/*}/../lib.sh"
[ "${SLOW:-0}" = 1 ] || skip "takes ten minutes; set SLOW=1"

nodes a b c d
emulated_link a b
emulated_link a c
link b d
link c d
impair a b both delay 5ms jitter 2.5ms
impair a c both delay 20ms jitter 2.5ms
mesh_node a 1 b c
mesh_node b 2 a d
mesh_node c 3 a d
mesh_node d 4 b c
for node in a b c d; do up "$node"; done

settled() { leads a 10.44.0.4/32 b && leads d 10.44.0.1/32 b; }
changes() { # NODE PREFIX: how often the monitor has said that packets to PREFIX go elsewhere
  grep -c "\"prefix\":\"$2\"" "$scratch/$1/switches" || true
}
check "traffic takes the fast path, both ways" within 60 settled
for node in a d; do
  in_node "$node" "$MESHD" monitor "$(device "$node")" --json >"$scratch/$node/monitor" 2>&1 &
done
in_node a ping -n -q -i 0.1 -c 6000 -W 2 10.44.0.4 >"$scratch/echoes"
for node in a d; do grep '"event":"switch"' "$scratch/$node/monitor" >"$scratch/$node/switches" || true; done
check "in ten minutes a changes its path once at most" test "$(changes a 10.44.0.4/32)" -le 1
check "and so does d" test "$(changes d 10.44.0.1/32)" -le 1
check "no echo is lost" grep " 0% packet loss" "$scratch/echoes"

# Delay is part of the cost of a link: traffic leaves a path that has become slow for one that is faster, without loss,
# and jitter alone does not move it.
#
#             10 ms     b     0 ms
#          ┌──────────  10.44.0.2  ──────────┐
#   a ─────┤                                 ├───── d
#   .1     └──────────  10.44.0.3  ──────────┘     .4
#             40 ms     c     0 ms

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a b c d
emulated_link a b
emulated_link a c
link b d
link c d
impair a b ab delay 5ms
impair a b ba delay 5ms
impair a c ab delay 20ms
impair a c ba delay 20ms
mesh_node a 1 b c
mesh_node b 2 a d
mesh_node c 3 a d
mesh_node d 4 b c
for node in a b c d; do up "$node"; done

settled() { leads a 10.44.0.4/32 b && leads d 10.44.0.1/32 b; }
moved() { leads a 10.44.0.4/32 c && leads d 10.44.0.1/32 c; }
check "traffic takes the fast path, both ways" within 60 settled
sleep 15 # new routes count half as much again for a while

in_node a ping -n -q -i 0.02 -c 1000 -W 2 10.44.0.4 >"$scratch/echoes" &
impair a b ab delay 40ms
impair a b ba delay 40ms
check "within 10 s of 80 ms it takes the other, both ways" within 10 moved
check "and no echo is lost" within 25 grep " 0% packet loss" "$scratch/echoes"

impair a b ab delay 5ms
impair a b ba delay 5ms
check "it returns when the first is fast again" within 30 settled

# Two hosts, two disjoint paths: traffic takes the one with less delay, and follows when that becomes another (S1.4).
#
#          ┌──── 10 ms ──── c ────┐
#   a ─────┤                      ├───── b          10.44.0.1, .3, .4, .2
#          └──── 40 ms ──── d ────┘

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a b c d
emulated_link a c
emulated_link a d
link c b
link d b
mesh_node a 1 c d
mesh_node b 2 c d
mesh_node c 3 a b
mesh_node d 4 a b
impair a c both delay 5ms
impair a d both delay 20ms
for node in a b c d; do up "$node"; done

over() { path_is a 10.44.0.2 "$1" 10.44.0.2; }
costs() { meshd_show a | sed -n 's/.* cost \([0-9]*\) rtt .*/\1/p'; }
check "S3.4 the round trips are shown" within 20 eval '[ "$(costs | wc -l)" = 2 ]'
check "S3.4 and are in the costs" within 20 eval '[ "$(costs | sort -un | wc -l)" = 2 ]'
check "S1.4 a reaches b by c, in 10 ms" within 30 over 10.44.0.3

exec {echoes}< <(in_node a ping -n -q -i 0.01 -c 4000 -W 5 10.44.0.2)
impair a c both delay 40ms
check "S1.4 raised to 80 ms: traffic moves to d within 10 s" within 10 over 10.44.0.4
impair a c both delay 5ms
check "lowered again: it moves back" within 60 over 10.44.0.3
none_lost() { cat <&"$echoes" | tee /dev/stderr | grep -q ", 0% packet loss"; }
check "none of 4000 echoes was lost on the way" none_lost

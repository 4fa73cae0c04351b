# A prefix with a health check is announced only while something answers, and another gateway takes its place meanwhile.
#
#      a ───── veth ───── m ───── veth ───── b
#  10.44.0.1          10.44.0.2          10.44.0.3        a and b both announce 10.7.0.0/16, b dearer

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a m b
link a m
link m b
for number in 1 3; do
  case $number in 1) node=a metric=0 ;; 3) node=b metric=2000 ;; esac
  mesh_node "$node" "$number" m
  add_to "$node" "Announce = 10.7.0.0/16 metric $metric"
  in_node "$node" ip address add 10.7.0.1/32 dev lo
done
mesh_node m 2 a b
service=10.7.0.1:8080
set_check() { # CHECK…: of the prefix, in a's file
  sed -i "/^Check = /d" "$(config a)"
  add_to a "${@/#/Check = 10.7.0.0/16 }"
}
cat >"$scratch/page" <<'END' # answers one request of HTTP from its own directory
cd "${0%/*}"
read -r _ path _
while read -r line && [ "$line" != $'\r' ]; do :; done
[ -e "site$path" ] && status="200 OK" || status="404 Not Found"
printf 'HTTP/1.0 %s\r\n\r\n' "$status"
END
serve() { # in the background, as $server
  ip netns exec "$tag-a" socat TCP-LISTEN:8080,bind=10.7.0.1,reuseaddr,fork "EXEC:bash $scratch/page" 2>/dev/null &
  server=$!
}
stop_server() {
  kill "$server"
  wait "$server" 2>/dev/null || true
}
via() { meshd_routes m | grep "^10.7.0.0/16 .*via $(key_of "$1") (installed)"; }
state_is() { meshd_show a | grep "check: 10.7.0.0/16 $1"; }
reload_a() { in_node a "$MESHD" reload "$(config a)"; }
mkdir -m 755 "$scratch/site"
echo fine >"$scratch/site/health"

set_check "tcp $service every 100ms fail 3"
for node in a m b; do up "$node"; done
check "nobody listens: m uses b" within 10 via b
check "a says that the check fails, and why" within 2 state_is "tcp $service: failing (Connection refused)"
check "so it does in JSON" eval 'meshd_show a --json | grep -q "\"state\": \"failing\""'
serve
# A better way replaces a working one after some seconds (appendix A.3), a lost one at once.
check "a listener comes: m uses a" within 20 via a
check "a says that it passes" state_is "tcp $service: passing"
check "packets arrive" pings m 10.7.0.1
stop_server
check "it goes: m uses b" within 3 via b
check "the prefix is no longer a's at all" eval '! in_node a "$MESHD" xroutes "$(device a)" | grep "^10.7.0.0/16 "'
serve
check "it comes back" within 20 via a

# HTTP, put in force by a reload.
set_check "http $service/health every 100ms fail 2"
check "reload with a check by HTTP" reload_a
check "a page is there: m uses a" within 20 via a
rm "$scratch/site/health"
check "it is gone, though the port is open: m uses b" within 3 via b
check "a says why" state_is "http $service/health: failing (HTTP status 404)"
echo fine >"$scratch/site/health"
check "it is back" within 20 via a

# Ping, besides the page: both must answer.
in_node a ip link add lan type veth peer name far
in_node a ip address add 192.168.9.1/24 dev lan
in_node a ip neighbour add 192.168.9.2 lladdr 02:00:00:00:00:02 dev lan nud permanent
in_node a ip link set lan up
in_node a ip link set far up
set_check "http $service/health every 100ms fail 2" "ping 192.168.9.2 every 200ms fail 2"
check "reload with a check by ping" reload_a
check "nobody answers: m uses b" within 3 via b
check "a says why" within 2 state_is "ping 192.168.9.2: failing (no answer)"
check "the other check has kept what it knew" state_is "http $service/health: passing"
in_node a ip address add 192.168.9.2/32 dev lo
check "somebody answers: m uses a" within 20 via a

# What only the mesh leads to is no answer: b has that address.
in_node b ip address add 10.7.0.9/32 dev lo
set_check "ping 10.7.0.9 every 100ms fail 2"
check "reload with a target that is b's" reload_a
check "m uses b" within 3 via b
check "a says why" within 3 state_is "ping 10.7.0.9: \(waiting\|failing\) ("
set_check
check "reload without a check" reload_a
check "m uses a" within 20 via a
stop_server

# Without the right to ping it is said at once, and the prefix stays at home.
kill -TERM "${pid[a]}"
check "a leaves" stopped_within 2 a
set_check "ping 192.168.9.2 every 100ms fail 2"
start a setpriv --bounding-set -net_raw --inh-caps -net_raw "$MESHD" up -f --state-dir "$scratch/a" "$(config a)"
check "one sentence says what is missing" within 5 grep -q "ping_group_range, or give it CAP_NET_RAW" "$scratch/a/log"
check "m uses b" within 5 via b

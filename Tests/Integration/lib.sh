# The words the scenarios are told in. Each scenario sources this file; bash.
#
#   nodes a m b                  makes network namespaces, a key pair and a directory for each
#   link a m                     lays a veth pair under two of them; `underlay a m` is a's address on it
#   emulated_link a m            the same through a link emulator; impair a m ab delay 40ms   makes it worse
#   router r a m                 makes r forward between its neighbours a and m: another way from a to m
#   interface a LINE…            begins the configuration file of a, with its key
#   peer a m LINE…               adds m to it
#   up a [OPTION…]               runs `meshd up` there; wireguard a ours|stock   runs a plain WireGuard daemon
#   stock_interface s a fe80::1  a stock node's interface to a; babeld s tunnel a… or bird s 9 a…   runs its routing daemon
#   in_node a COMMAND…           runs a command there
#   check SENTENCE COMMAND…      a step that must hold; the first that does not ends the scenario
#   within SECONDS COMMAND…      repeats a command until it succeeds; throughout SECONDS COMMAND… until it fails
#   record a                     writes down the datagrams outside from now on; datagrams a in 1   are those that are initiations
#
# Every name carries a tag of this run, since UAPI sockets are not per namespace. Whatever way a scenario ends, `clean_up`
# leaves no process, namespace, socket or file behind.
set -euo pipefail
umask 077

tag=$MESHD_TEST_TAG
scratch=$(mktemp -d "/tmp/$tag.XXXXXX")
sockets=/var/run/wireguard
all_nodes=()
links=0
declare -A underlay_address emulator_socket pid

clean_up() {
  local status=$? node
  trap - EXIT
  trap '' INT TERM
  [ "$status" = 0 ] || show_logs
  for node in "${all_nodes[@]}"; do stop_all TERM "$node"; done
  for node in "${all_nodes[@]}"; do
    within 3 is_idle "$node" || stop_all KILL "$node"
    ip netns delete "$tag-$node"
  done
  rm -rf "$scratch" "$sockets/$tag"*.sock "$sockets/$tag"*.babel "/etc/netns/$tag"-*
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

show_logs() {
  local log
  for log in "$scratch"/*/log; do
    [ -s "$log" ] && sed "s|^|    $(basename "$(dirname "$log")"): |" "$log" | tail -n 20 >&2
  done || true
}

stop_all() { # SIGNAL NODE
  ip netns pids "$tag-$2" | while read -r process; do kill -s "$1" "$process" 2>/dev/null || true; done
}

is_idle() { # NODE
  [ -z "$(ip netns pids "$tag-$1")" ]
}

# --- Steps -----------------------------------------------------------------------------------------------------------

check() { # SENTENCE COMMAND…
  local sentence=$1 output
  shift
  if output=$("$@" 2>&1); then
    echo "  ok    $sentence"
    return
  fi
  echo "  FAIL  $sentence"
  printf '%s\n' "$output" | tail -n 30 | sed 's/^/    /'
  exit 1
}

within() { # SECONDS COMMAND…
  local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "${EPOCHREALTIME/[.,]/}" -lt "$deadline" ] || return 1
    sleep 0.05
  done
}

throughout() { # SECONDS COMMAND…: holds each time until then
  local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
  shift
  while [ "${EPOCHREALTIME/[.,]/}" -lt "$deadline" ]; do
    "$@" || return 1
    sleep 0.05
  done
}

fails() { # COMMAND…: for steps that must not hold
  ! "$@"
}

skip() { # REASON
  echo "  skip  $1"
  exit 77
}

# --- Nodes and links -------------------------------------------------------------------------------------------------

nodes() { # NODE…
  local node
  for node; do
    ip netns add "$tag-$node"
    all_nodes+=("$node")
    in_node "$node" ip link set lo up
    mkdir -m 755 "$scratch/$node"
    wg genkey >"$scratch/$node/private"
    wg pubkey <"$scratch/$node/private" >"$scratch/$node/public"
  done
}

in_node() { # NODE COMMAND…
  local node=$1
  shift
  ip netns exec "$tag-$node" "$@"
}

link() { # A B: 10.200.N.1–10.200.N.2 and fd00:200:N::1–fd00:200:N::2
  links=$((links + 1))
  ip link add "to-$2" netns "$tag-$1" type veth peer name "to-$1" netns "$tag-$2"
  attach "$1" "$2" 1
  attach "$2" "$1" 2
}

# Two Ethernet interfaces of one emulator in a namespace between the nodes; the link is there as long as it runs. A is its
# end a, B its end b. Their queues are long, since a flow is to lose by what was asked for and nothing else.
emulated_link() { # A B: addresses as by `link`
  links=$((links + 1))
  local middle=link$links socket=$scratch/link$links/socket end node other
  [ -x "$EMULATOR" ] || { echo "no link emulator at $EMULATOR: run \`make emulator\`" >&2; return 1; }
  ip netns add "$tag-$middle"
  all_nodes+=("$middle")
  mkdir "$scratch/$middle"
  start "$middle" "$EMULATOR" run "$socket" a b
  within 5 test -S "$socket"
  for end in a b; do
    node=$1 other=$2
    [ $end = a ] || node=$2 other=$1
    ip -n "$tag-$middle" link set dev $end txqueuelen 10000
    ip -n "$tag-$middle" link set dev $end netns "$tag-$node" name "to-$other"
  done
  attach "$1" "$2" 1
  attach "$2" "$1" 2
  emulator_socket[$1,$2]=$socket
}

impair() { # A B COMMAND…: as `link-emulator --help` tells; A and B in the order of `emulated_link`
  local socket=${emulator_socket[$1,$2]:-}
  [ -n "$socket" ] || { echo "no \`emulated_link $1 $2\`" >&2; return 1; }
  shift 2
  "$EMULATOR" set "$socket" "$@"
}

emulated() { # A B ab|ba COUNTER: a number of `link-emulator`'s statistics
  impair "$1" "$2" stats | sed -n "s/^$3 .*\<$4=\([0-9]*\).*/\1/p"
}

attach() { # NODE OTHER HOST
  underlay_address[$1,$2,4]=10.200.$links.$3
  underlay_address[$1,$2,6]=fd00:200:$links::$3
  in_node "$1" ip address add "10.200.$links.$3/24" dev "to-$2"
  in_node "$1" ip address add "fd00:200:$links::$3/64" dev "to-$2" nodad
  in_node "$1" ip link set "to-$2" up
}

underlay() { # NODE OTHER [4|6]: NODE's address on its link to OTHER
  echo "${underlay_address[$1,$2,${3:-4}]}"
}

sever() { # A B: silently for A, whose own end keeps its address
  in_node "$2" ip link set "to-$1" down
}

mend() { # A B; IPv6 addresses do not survive the cut
  in_node "$2" ip link set "to-$1" up
  in_node "$2" ip address add "$(underlay "$2" "$1" 6)/64" dev "to-$1" nodad
}

# A router between nodes that have a link to it. With several routers between two nodes there are as many ways, by which
# NODE is reached at its addresses on the links to these routers.
router() { # ROUTER NODE…
  local router=$1 node other family
  shift
  in_node "$router" sysctl -q net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  for node; do
    for other; do
      [ "$node" = "$other" ] || for family in 4 6; do
        in_node "$node" ip route add "$(underlay "$other" "$router" $family)" via "$(underlay "$router" "$node" $family)"
      done
    done
  done
}

at() { # NODE ROUTER [4|6]: the endpoint of NODE by that way
  echo "$(bracketed "$(underlay "$@")"):51820"
}

hosts() { # NODE LINE…: what its /etc/hosts has; no other names are known to it. From the next process on
  local directory=/etc/netns/$tag-$1
  mkdir -p -m 755 "$directory"
  printf '%s\n' "${@:2}" >"$directory/hosts"
  echo "nameserver 127.0.0.1" >"$directory/resolv.conf"
  chmod 644 "$directory"/*
}

# --- Configuration and daemons ---------------------------------------------------------------------------------------

device() { echo "$tag$1"; }                       # NODE: the name of its WireGuard interface
config() { echo "$scratch/$1/$(device "$1").conf"; }
key_of() { cat "$scratch/$1/public"; }
private_key_of() { cat "$scratch/$1/private"; }

interface() { # NODE LINE…
  local node=$1
  shift
  {
    echo "[Interface]"
    echo "PrivateKey = $(private_key_of "$node")"
    [ $# = 0 ] || printf '%s\n' "$@"
  } >"$(config "$node")"
}

peer() { # NODE OTHER LINE…
  local node=$1 other=$2
  shift 2
  {
    echo "[Peer]"
    echo "PublicKey = $(key_of "$other")"
    [ $# = 0 ] || printf '%s\n' "$@"
  } >>"$(config "$node")"
}

# A mesh node for the common scenarios: its overlay addresses are 10.44.0.NUMBER and fd44::NUMBER, its port 51820, and
# every peer is one link away.
mesh_node() { # NODE NUMBER PEER…
  local node=$1 number=$2 other
  shift 2
  interface "$node" "ListenPort = 51820" "Address = 10.44.0.$number/32, fd44::$number/128" "Babel = on"
  for other; do peer "$node" "$other" "Endpoint = $(underlay "$other" "$node"):51820"; done
}

add_to() { # NODE LINE…: to the [Interface] of a mesh node's file, in this order
  local node=$1
  shift
  [ $# = 0 ] || printf '%s\n' "$@" | sed -i '/^Babel = on/r /dev/stdin' "$(config "$node")"
}

up() { # NODE [OPTION…]
  local node=$1
  shift
  start "$node" "$MESHD" up -f --state-dir "$scratch/$node" "$@" "$(config "$node")"
  within 5 test -S "$sockets/$(device "$node").sock"
}

start() { # NODE COMMAND…: in the background, its output in NODE's log
  local node=$1
  shift
  exec ip netns exec "$tag-$node" "$@" >>"$scratch/$node/log" 2>&1 & # exec: the process identifier is the command's own
  pid[$node]=$!
}

# A plain WireGuard daemon that has gone into the background; $MESHD may itself be a wireguard-go, to test the tests.
wireguard() { # NODE ours|stock
  case $2,$MESHD in
    ours,*wireguard-go) in_node "$1" "$MESHD" "$(device "$1")" ;;
    ours,*) in_node "$1" "$MESHD" wg "$(device "$1")" ;;
    stock,*) in_node "$1" wireguard-go "$(device "$1")" ;;
  esac >>"$scratch/$1/log" 2>&1
}

# Applies the configuration of NODE with the stock tool, and the rest with ip.
configure() { # NODE ADDRESS…
  local node=$1 address
  shift
  in_node "$node" wg setconf "$(device "$node")" "$(config "$node")"
  for address; do in_node "$node" ip address add "$address" dev "$(device "$node")"; done
  in_node "$node" ip link set "$(device "$node")" mtu 1420 up
}

# The stock end of a link to a mesh node, as the documentation of stock routing daemons wants it: everything is allowed.
stock_end() { # NODE OTHER ADDRESS…
  local node=$1 other=$2
  shift 2
  interface "$node" "ListenPort = 51820"
  peer "$node" "$other" "Endpoint = $(underlay "$other" "$node"):51820" "AllowedIPs = 0.0.0.0/0, ::/0"
  wireguard "$node" stock
  configure "$node" "$@"
}

is_running() { # NODE
  kill -0 "${pid[$1]}" 2>/dev/null
}

stopped_within() { # SECONDS NODE
  within "$1" fails is_running "$2"
}

meshd_show() { # NODE [FIELD]
  local node=$1
  shift
  in_node "$node" "$MESHD" show "$(device "$node")" "$@"
}

# The paths of NODE to OTHER: a line "ENDPOINT STATE USED FROM MILLISECONDS LOST MTU" for each; LOST is of 1000, "-" is what is not known.
paths() { # NODE OTHER
  meshd_show "$1" --json | python3 -c '
import json, sys
for peer in json.load(sys.stdin)[0]["peers"]:
    for path in peer["paths"] if peer["publicKey"] == sys.argv[1] else []:
        used = "pinned" if path["pinned"] else "used" if path["inUse"] else "spare"
        micros = path.get("roundTripMicroseconds")
        rtt = micros and f"{micros / 1000:.3f}"
        words = [path["endpoint"], path["state"], used, path.get("from"), rtt, path.get("lossPerMille"), path.get("mtu")]
        print(*("-" if word is None else word for word in words))' "$(key_of "$2")"
}

uses() { # NODE OTHER ROUTER: packets of NODE to OTHER go by ROUTER
  in_node "$1" wg show "$(device "$1")" endpoints | tee /dev/stderr | grep -qxF "$(key_of "$2")"$'\t'"$(at "$2" "$3")"
}

meshd_routes() { # NODE [OPTION…]
  local node=$1
  shift
  in_node "$node" "$MESHD" routes "$(device "$node")" "$@"
}

# --- Stock routers -----------------------------------------------------------------------------------------------------

# A node without meshd has an interface for each neighbour, as its documentation wants it: wireguard-go with one peer that
# may send anything, and addresses by hand. It begins the session, since its routing daemon says Hello.

stock_device() { echo "$tag$1$2"; } # NODE OTHER: the name of NODE's interface to OTHER

stock_interface() { # NODE OTHER LINK-LOCAL [ADDRESS…]
  local node=$1 other=$2 name address
  name=$(stock_device "$1" "$2")
  in_node "$node" wireguard-go "$name" >>"$scratch/$node/log" 2>&1
  in_node "$node" wg set "$name" private-key "$scratch/$node/private" \
    peer "$(key_of "$other")" endpoint "$(underlay "$other" "$node"):51820" allowed-ips 0.0.0.0/0,::/0
  # As on the kernel's own WireGuard interfaces, the only link-local address is the one given.
  in_node "$node" ip link set "$name" addrgenmode none
  for address in "${@:3}"; do in_node "$node" ip address add "$address" dev "$name"; done
  in_node "$node" ip link set "$name" mtu 1420 up
}

babeld() { # NODE TYPE OTHER…: Debian's babeld, which announces what is NODE's own in 10.44.0.0/16 and fd44::/16
  local node=$1 type=$2 other interfaces=()
  for other in "${@:3}"; do interfaces+=(-C "interface $(stock_device "$node" "$other") type $type"); done
  start "$node" babeld -d 1 -I "$scratch/$node/babeld.pid" -S "$scratch/$node/babeld-state" "${interfaces[@]}" \
    -C "redistribute local ip 10.44.0.0/16" -C "redistribute local ip fd44::/16" -C "redistribute local deny"
}

bird() { # NODE NUMBER OTHER…: Debian's BIRD, which announces 10.44.0.NUMBER and fd44::NUMBER
  local node=$1 number=$2 other interfaces=
  for other in "${@:3}"; do interfaces+="interface \"$(stock_device "$node" "$other")\" { type wired; }; "; done
  cat >"$scratch/$node/bird.conf" <<END
log stderr all;
router id 10.44.0.$number;
protocol device {}
protocol static { ipv4; route 10.44.0.$number/32 unreachable; }
protocol static { ipv6; route fd44::$number/128 unreachable; }
protocol kernel { ipv4 { export where source = RTS_BABEL; }; }
protocol kernel { ipv6 { export where source = RTS_BABEL; }; }
protocol babel mesh {
  ipv4 { export where source ~ [RTS_STATIC, RTS_BABEL]; };
  ipv6 { export where source ~ [RTS_STATIC, RTS_BABEL]; };
  debug { states, interfaces };
  $interfaces
}
END
  in_node "$node" sysctl -q net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  start "$node" bird -f -c "$scratch/$node/bird.conf" -s "$scratch/$node/bird.ctl" -P "$scratch/$node/bird.pid"
}

birdc() { in_node "$1" birdc -s "$scratch/$1/bird.ctl" "${@:2}"; } # NODE COMMAND…

# What a stock daemon has put into the kernel: a line "PREFIX via NEXT-HOP" for each route, sorted.
stock_routes() { # NODE
  { in_node "$1" ip -4 route show; in_node "$1" ip -6 route show; } |
    sed -nE 's/^([^ ]+) (from [^ ]+ )?via (inet6 )?([^ ]+) .*proto (babel|bird) .*/\1 \2via \4/p' | sort
}

# --- Traffic ---------------------------------------------------------------------------------------------------------

pings() { # NODE ADDRESS [COUNT]: every echo must come back
  in_node "$1" ping -n -q -c "${3:-3}" -i 0.1 -W 2 "$2"
}

took() { # SECONDS COMMAND…: as `within`, with the time in `milliseconds`
  local began=${EPOCHREALTIME/[.,]/} status=0
  within "$@" || status=$?
  milliseconds=$(((${EPOCHREALTIME/[.,]/} - began) / 1000))
  return $status
}

reaches() { # NODE ADDRESS: one echo
  in_node "$1" ping -n -q -c 1 -W 1 "$2"
}

soon() { # NODE ADDRESS: one echo that takes no longer than a fifth of a second
  in_node "$1" ping -n -q -c 1 -W 0.2 "$2"
}

both_reach() { # A B ADDRESS-OF-A ADDRESS-OF-B
  reaches "$1" "$4" && reaches "$2" "$3"
}

transfers() { # NODE OTHER ADDRESS-OF-OTHER MEGABYTES: over TCP, compared by checksum
  local sent=$scratch/$1/sent received=$scratch/$2/received receiver
  head -c "$4M" /dev/urandom >"$sent"
  in_node "$2" timeout 60 socat -u "TCP-LISTEN:7000,pf=$(family "$3"),reuseaddr" "CREATE:$received" &
  receiver=$!
  in_node "$1" timeout 60 socat -u "OPEN:$sent" "TCP:$(bracketed "$3"):7000,retry=100,interval=0.05" &&
    wait "$receiver" && cmp "$sent" "$received"
}

family() { case $1 in *:*) echo ip6 ;; *) echo ip4 ;; esac; }
bracketed() { case $1 in *:*) echo "[$1]" ;; *) echo "$1" ;; esac; }

hops() { # NODE ADDRESS: the addresses on the way, on one line
  in_node "$1" traceroute -n -q 1 -w 2 -m 6 "$2" | awk 'NR > 1 { printf "%s%s", sep, $2; sep = " " } END { print "" }'
}

path_is() { # NODE ADDRESS HOP…
  local node=$1 address=$2 path
  shift 2
  path=$(hops "$node" "$address")
  echo "the path is: $path"
  [ "$path" = "$*" ]
}

leads() { # NODE PREFIX OTHER: packets of NODE to PREFIX go to OTHER
  in_node "$1" wg show "$(device "$1")" allowed-ips | grep "^$(key_of "$3").*[[:space:]]$2"
}

has_route() { # NODE PREFIX PROTOCOL
  local family=-4
  case $2 in *:*) family=-6 ;; esac
  in_node "$1" ip "$family" route show "$2" proto "$3" | grep -q .
}

# The longest time without an echo, in `milliseconds`, when something happens half a second after they began. It is over when
# a second's echoes have come since, or after SECONDS.
silence() { # SECONDS NODE ADDRESS COMMAND…
  local file=$scratch/$2/echoes pings enough
  exec ip netns exec "$tag-$2" ping -n -D -i 0.01 "$3" >"$file" 2>&1 &
  pings=$!
  sleep 0.5
  "${@:4}"
  enough=$(($(grep -c "bytes from" "$file") + 100))
  within "$1" eval '[ "$(grep -c "bytes from" "$file")" -ge $enough ]' || true
  echo "[$EPOCHREALTIME] the end" >>"$file"
  kill $pings
  wait $pings || true
  milliseconds=$(awk -F '[][]' '/bytes from|the end/ { if (last && $2 - last > longest) longest = $2 - last; last = $2 }
    END { printf "%d", longest * 1000 }' "$file")
}

# --- What is on the wire -------------------------------------------------------------------------------------------------

record() { # NODE [INTERFACE]: what went before is forgotten
  local file=$scratch/$1/datagrams
  if [ -e "$file" ]; then
    : >"$file"
  else
    ip netns exec "$tag-$1" "${BASH_SOURCE%/*}/datagrams" "${@:2}" >>"$file" 2>&1 &
    within 5 test -s "$file"
  fi
}

datagrams() { # NODE in|out [TYPE]: lines as by the program of this name; TYPE is WireGuard's, a digit
  grep "^[0-9.]* $2 [^ ]* [^ ]* [0-9]* 0${3:-.}000000" "$scratch/$1/datagrams"
}

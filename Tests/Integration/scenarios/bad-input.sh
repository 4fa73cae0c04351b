# What is wrong is said in one sentence and leaves nothing behind; what is hostile changes nothing.
#
#      a (meshd) ───────── b (meshd, then wireguard-go with the same key)

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a b
link a b
mesh_node a 1 b
mesh_node b 2 a

# refuses PATTERN COMMAND…: it fails, says one line that matches, and leaves no interface and no socket.
refuses() {
  local pattern=$1 words
  shift
  if words=$(in_node a timeout 10 "$@" 2>&1 >/dev/null); then
    echo "it succeeded"
    return 1
  fi
  echo "$words"
  [ "$(wc -l <<<"$words")" = 1 ] && grep -qiE -- "$pattern" <<<"$words" &&
    ! test -e "$sockets/$(device a).sock" && { [ -e "$scratch/taken" ] || ! in_node a ip link show "$(device a)"; }
}
meshd_up=("$MESHD" up --state-dir "$scratch/a" "$(config a)")

# Part 1: the file.
sed -i 's/^Babel = on/Bable = on/' "$(config a)"
line=$(grep -n Bable "$(config a)" | sed 's/:.*//')
check "a misspelt key: file, line, column, and what was meant" refuses "\.conf:$line:1: .*Babel" "${meshd_up[@]}"
mesh_node a 1 b
printf 'AllowedIPs = 10.1.0.0/33\n' >>"$(config a)"
line=$(wc -l <"$(config a)")
check "an impossible prefix: line and column of the value" refuses "\.conf:$line:14: .*10\.1\.0\.0/33" "${meshd_up[@]}"
mesh_node a 1 b
sed -i 's/^PrivateKey = .*/PrivateKey = short/' "$(config a)"
check "a bad key" refuses "\.conf:2:14: " "${meshd_up[@]}"
check "a file that does not exist" refuses "/nonexistent/x.conf" "$MESHD" up /nonexistent/x.conf

# Part 2: the machine.
mesh_node a 1 b
check "no /dev/net/tun" refuses "/dev/net/tun" \
  sh -c 'mount -t tmpfs tmpfs /dev/net && exec "$@"' sh "${meshd_up[@]}"
check "no CAP_NET_ADMIN" refuses "CAP_NET_ADMIN" setpriv --bounding-set -net_admin --inh-caps -net_admin "${meshd_up[@]}"
in_node a ip link add "$(device a)" type veth peer name other
touch "$scratch/taken"
check "the interface name is taken" refuses "$(device a).*(taken|exists|in use)" "${meshd_up[@]}"
rm "$scratch/taken"
in_node a ip link delete "$(device a)"
start a socat -u UDP4-RECV:51820 OPEN:/dev/null
start a socat -u UDP6-RECV:51820,ipv6only OPEN:/dev/null
port_is_held() { [ "$(in_node a ss -Huln | grep -c :51820)" = 2 ]; }
within 2 port_is_held
check "the port is in use" refuses "51820" "${meshd_up[@]}"
stop_all TERM a
within 2 is_idle a

# Part 3: datagrams of every shape to the UDP port.
echo "AllowedIPs = 10.44.0.2/32, fd44::2/128" >>"$(config a)"
up a
up b
check "the tunnel works" within 10 both_reach a b 10.44.0.1 10.44.0.2
learned_routes() { meshd_routes a | grep installed; }
check "and Babel speaks in it" learned_routes
# A random type or one of the four, reserved octets zero, and 0 to 1 500 random octets.
throw_datagrams() { # COUNT
  local n
  for ((n = 0; n < $1; n++)); do
    {
      [ $((n % 3)) = 0 ] || printf "\\x$((n % 5))\\0\\0\\0"
      head -c "$(case $((n % 7)) in 0) echo 144 ;; 1) echo 88 ;; 2) echo 60 ;; 3) echo 28 ;; *) echo $((RANDOM % 1500)) ;; esac)" /dev/urandom
    } >"$scratch/datagram"
    in_node b socat -u -b 2000 "OPEN:$scratch/datagram" "UDP:$(underlay a b):51820"
  done
}
check "300 random datagrams" throw_datagrams 300
check "the same process still runs" is_running a
check "and loses no packet" pings a 10.44.0.2 10

# Part 4: random bytes where Babel listens, from a peer that holds a session.
kill -TERM "${pid[b]}"
check "b leaves" stopped_within 2 b
link_local=$("$MESHD" addr "$(key_of b)" | awk '/^link-local/ { print $2 }')
stock_end b a "$link_local/64" 10.44.0.2/32
in_node b ip route add 10.44.0.1 dev "$(device b)"
throw_babel() { # COUNT: half of it with magic, version and a true length in front
  local n size
  for ((n = 0; n < $1; n++)); do
    size=$((RANDOM % 1200))
    {
      [ $((n % 2)) = 0 ] || printf "\\x2a\\x02\\x$(printf %02x $((size / 256)))\\x$(printf %02x $((size % 256)))"
      head -c "$size" /dev/urandom
    } >"$scratch/datagram"
    in_node b socat -u -b 2000 "OPEN:$scratch/datagram" \
      "UDP6-SENDTO:[ff02::1:6%$(device b)]:6696,bind=[$link_local%$(device b)]:6696,reuseaddr"
  done
}
check "200 packets of random Babel bytes" throw_babel 200
check "the same process still runs" is_running a
check "it has learned no route from them" fails learned_routes
check "and loses no packet" within 20 pings b 10.44.0.1 10

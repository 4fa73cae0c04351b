# `meshd wg IF` lives as wireguard-go does: in the background or not, until its interface or its socket goes.
#
#   a: one namespace is enough

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a
socket=$sockets/$(device a).sock
has_device() { in_node a ip link show "$(device a)"; }
gone() { is_idle a && ! has_device && ! test -e "$socket"; }

wireguard a ours
check "it returns with the interface there" has_device
check "and the socket" test -S "$socket"
check "wg can talk to it at once" in_node a wg show "$(device a)"
rm "$socket"
check "without its socket it ends" within 5 gone

wireguard a ours
in_node a ip link delete "$(device a)"
check "without its interface it ends" within 5 gone

case $MESHD in
  *wireguard-go) start a "$MESHD" -f "$(device a)" ;;
  *) start a "$MESHD" wg -f "$(device a)" ;;
esac
check "-f stays in the foreground" within 5 test -S "$socket"
check "and is the process that was started" is_running a
kill -TERM "${pid[a]}"
check "SIGTERM ends it" stopped_within 2 a
check "and takes everything with it" within 1 gone

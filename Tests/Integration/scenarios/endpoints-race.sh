# An initiation goes to the endpoint in use first, 10 ms later to all others, and the first who answers is used (S5.3–S5.7,
# S5.10–S5.12, S5.19).
#
#        ┌── p ──┐                a: 10.44.0.1, meshd
#   a ───┼── q ──┼─── m, s        m: 10.44.0.2, meshd; s: 10.44.0.3, wireguard-go
#        └── r ──┘                each has an address towards each router; a's links go through the emulator
#
# 203.0.113.0/24 is behind p, and silent.

. "${BASH_SOURCE%/*}/../lib.sh"

nodes a m s p q r
for router in p q r; do
  emulated_link a $router
  link $router m
  link $router s
  router $router a m s
done
in_node p ip route add blackhole 203.0.113.0/24
in_node a ip route add 203.0.113.0/24 via "$(underlay p a)"
interface m "ListenPort = 51820" "Address = 10.44.0.2/32" "Babel = on"
peer m a
interface s "ListenPort = 51820"
peer s a "AllowedIPs = 10.44.0.1/32"
wireguard s stock
configure s 10.44.0.3/24
up m
for node in a m s; do record $node; done

# a anew. ENDPOINT is that of both m and s if it is the name of a router.
begin() { # ENDPOINT…
  local endpoint node
  interface a "ListenPort = 51820" "Address = 10.44.0.1/32" "Babel = on"
  for node in m s; do
    peer a $node
    [ $node = m ] || printf '%s\n' "Babel = off" "AllowedIPs = 10.44.0.3/32" >>"$(config a)"
    for endpoint; do
      case $endpoint in [pqr]) endpoint=$(at $node "$endpoint") ;; esac
      echo "Endpoint = $endpoint" >>"$(config a)"
    done
  done
  [ -z "${pid[a]:-}" ] || { kill "${pid[a]}" && wait "${pid[a]}" || true; }
  for node in a m s; do record $node; done
  up a
}
delays() { # P Q R: each way, in milliseconds
  impair a p both up delay "$1ms"
  impair a q both up delay "$2ms"
  impair a r both up delay "$3ms"
}
# Of the datagrams in FILE that are initiations: to how many endpoints each went, and how long after its first. A change of
# the network makes a race begin anew, with the same bytes to the same endpoints.
races() { # FILE: a line "ENDPOINTS MILLISECONDS…" for each initiation
  awk '$2 == "out" && $6 ~ /^01000000/ {
      bytes = substr($6, 1, 264)  # all but mac2
      if ((bytes, $4) in asked) next
      asked[bytes, $4]
      if (!(bytes in first)) { first[bytes] = $1; order[++count] = bytes }
      else later[bytes] = later[bytes] sprintf(" %.1f", ($1 - first[bytes]) * 1000)
      copies[bytes]++
    }
    END { for (i = 1; i <= count; i++) print copies[order[i]] later[order[i]] }' "$1"
}

# --- The race ----------------------------------------------------------------------------------------------------------

# Ten peers of which each has four endpoints and answers at none of them, asked one after the other.
interface a "ListenPort = 51820" "Address = 10.44.0.1/32"
for number in {1..10}; do
  printf '%s\n' "[Peer]" "PublicKey = $(wg genkey | wg pubkey)" "AllowedIPs = 10.98.0.$number/32" \
    "Endpoint = 203.0.113.1:$number, 203.0.113.2:$number, 203.0.113.3:$number" "Endpoint = 203.0.113.4:$number" >>"$(config a)"
done
up a
for number in {1..10}; do in_node a ping -n -q -c 1 -W 0.05 10.98.0.$number >/dev/null || true; done
first_races() { races "$scratch/a/datagrams" | head -10; }
sent_to_all() { first_races | awk '{ print } $1 == 4 { all++ } END { exit all != 10 }'; }
check "S5.3 ten initiations go to four endpoints each, byte-identical but for mac2" within 3 sent_to_all
head_start() { first_races | awk '{ for (i = 2; i <= NF; i++) print $i }' | sort -n; }
sorted=$(head_start)
median=$(sed -n 15p <<<"$sorted")
check "S5.3 to the first at once, to the others after 10 ± 3 ms ($median; $(head -1 <<<"$sorted") to $(tail -1 <<<"$sorted"))" \
  awk -v is="$median" 'BEGIN { exit !(is >= 7 && is <= 13) }'
in_use_first() { datagrams a out 1 | awk '!(substr($6, 1, 264) in seen) { seen[substr($6, 1, 264)]; print $4 }' | head -10; }
check "S5.3 the one in use is the first configured" test "$(in_use_first | grep -c '^203.0.113.1:')" = 10

# --- Who wins ----------------------------------------------------------------------------------------------------------

delays 60 5 30
begin p q r
check "S5.4 the first valid response wins: meshd is used at q" within 5 uses a m q
check "S5.4 and it works" within 5 reaches a 10.44.0.2
check "S5.7 a stock peer accepts one of the copies" within 5 reaches a 10.44.0.3
check "S5.4 and is used where that came from" uses a s q
copies() { datagrams s in 1 | awk '{ print substr($6, 1, 264) }' | sort | uniq -c | sort -n | tail -1 | awk '{ print $1 }'; }
check "S5.7 it got three copies" within 2 eval '[ "$(copies)" = 3 ]'
check "S5.7 and answered once" test "$(datagrams s out 2 | wc -l)" = 1

# m's answers to the copies of one initiation, and where each went to and came from.
answers() {
  awk '$2 == "in" && $6 ~ /^01000000/ && !index_ { index_ = substr($6, 9, 8) }
    $2 == "in" && $6 ~ /^01000000/ && substr($6, 9, 8) == index_ { asked[$4 " " $3] }
    $2 == "out" && $6 ~ /^02000000/ && substr($6, 17, 8) == index_ {
      if (!($3 " " $4 in asked)) exit wrong = 1
      answered++; bytes[$6]; delete asked[$3 " " $4]
    }
    END { different = length(bytes); print answered, different; exit wrong || answered != 3 || different != 1 }' \
    "$scratch/m/datagrams"
}
check "S5.10 meshd answers each copy from where it came to, with the same bytes" within 2 answers

# The initiation comes back to life from another port.
initiation=$(datagrams m in 1 | awk '{ print $6; exit }')
record m
in_node a python3 - "$initiation" "$(underlay a q)" "$(underlay m q)" <<'PYTHON'
import socket, sys, time
port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
port.bind((sys.argv[2], 4444))
for _ in range(40):
    port.sendto(bytes.fromhex(sys.argv[1]), (sys.argv[3], 51820))
    time.sleep(0.01)
PYTHON
sleep 0.1
answered=$(datagrams m out 2 | grep -c ":4444 " || true)
check "S5.10 no more than 16 copies are answered (2 and $answered of 40)" test "$answered" -le 14
check "S5.10 nor do they move the endpoint" uses m a q

# --- By how much -------------------------------------------------------------------------------------------------------

# A machine that is busy with other things may take longer than 10 ms; then once more.
delays 1 1 1
copies_to() { datagrams a out 1 | grep -c " $(at s "$1") " || true; }
for _ in 1 2 3 4 5; do
  begin p q r
  within 5 reaches a 10.44.0.3 || break
  sleep 0.1
  [ "$(copies_to p)$(copies_to q)$(copies_to r)" != 100 ] || break
done
check "S5.3 where the answer comes within 10 ms, nobody else is asked" test "$(copies_to p)$(copies_to q)$(copies_to r)" = 100

# Against a stock peer what counts is the way there.
delays 10 8 8
begin p q r
check "S5.5 4 ms less of a round trip" within 5 reaches a 10.44.0.3
check "S5.5 do not win" uses a s p
in_use_all_the_while() { pings a 10.44.0.3 2 && uses a s p; }
delays 40 1 8
check "S5.6 the endpoint stays while the session is fresh, though another has become better" throughout 2 in_use_all_the_while
check "S5.6 and no handshake is made for it" test "$(datagrams a out 2 | wc -l)$(datagrams s out 2 | wc -l)" = 01
delays 35 5 30
begin p q r
check "S5.5 60 ms less" within 5 reaches a 10.44.0.3
check "S5.5 win" uses a s q

# --- There by one way, back by the other -------------------------------------------------------------------------------

impair a p both delay 2ms
impair a p ba delay 60ms
impair a q both delay 5ms
impair a q ab delay 20ms
begin p q
check "S5.11 the initiation is there by p first, the answer by q" within 5 uses a m q
check "S5.11 and q is what the responder uses too" within 2 uses m a q
check "S5.11 with data" within 5 reaches m 10.44.0.1

# Both are dead in one direction, and the routers know: what is for a's address at p goes by q.
known() { # NODE OTHER: without asking, to which no answer would come
  in_node "$1" ip neigh replace "$(underlay "$2" "$1")" lladdr "$(in_node "$2" cat "/sys/class/net/to-$1/address")" \
    dev "to-$2" nud permanent
}
known a p
known q a
impair a p both clear
impair a q both clear
impair a p ba down
impair a q ab down
in_node m ip route replace "$(underlay a p)" via "$(underlay q m)"
in_node q ip route add "$(underlay a p)" via "$(underlay a q)"
begin p
check "S5.12 the request takes p and the answer q: a session" within 5 reaches a 10.44.0.2
check "S5.12 and data both ways" reaches m 10.44.0.1
in_node q ip route delete "$(underlay a p)"
in_node m ip route replace "$(underlay a p)" via "$(underlay p m)"
impair a p ba up
impair a q ab up

# --- Who is there, and who is not --------------------------------------------------------------------------------------

delays 1 2 1
ip netns exec "$tag-p" "${BASH_SOURCE%/*}/../impostor" "$(underlay p a)" 51820 "$(key_of a)" >>"$scratch/p/log" 2>&1 &
begin "$(at p a)" q
check "S5.4 an answer that is not valid wins nothing" within 5 uses a m q
check "S5.4 from meshd" within 2 reaches a 10.44.0.2
check "S5.4 from stock" within 5 reaches a 10.44.0.3
check "S5.4 the impostor did answer" within 5 eval 'datagrams a in 2 | grep -q " $(at p a) "'

# From the first copy of an initiation to the answer.
first_answer() { # NODE
  awk -v from="$(at "$1" q)" '$2 == "out" && $6 ~ /^01000000/ && !(substr($6, 9, 8) in began) { began[substr($6, 9, 8)] = $1 }
    $2 == "in" && $6 ~ /^02000000/ && $3 == from { printf "%d", ($1 - began[substr($6, 17, 8)]) * 1000; exit }' \
    "$scratch/a/datagrams"
}
delays 1 20 1
impair a r both down
in_node a ip route add unreachable 203.0.113.99
live_one() { # TITLE ENDPOINT…
  local title=$1 answer
  shift
  begin "$@" q
  # m may remember another way to a, and lead it there.
  check "S5.19 $title and a live one: a session with meshd" within 10 reaches a 10.44.0.2
  check "S5.19 and with stock" within 10 reaches a 10.44.0.3
  for node in m s; do
    answer=$(first_answer $node)
    check "S5.19 $node's answer came $answer ms after the initiation; 40 are the way, 10 the head start" test "$answer" -le 110
  done
}
live_one "three silent endpoints" 203.0.113.1:1 203.0.113.2:1 r
live_one "a refused, a closed and a silent endpoint" 203.0.113.99:1 "$(underlay p a):9" 203.0.113.2:1
impair a r both up

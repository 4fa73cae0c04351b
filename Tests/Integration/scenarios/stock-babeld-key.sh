# A stock neighbour that insists on RFC 8967: babeld with a key hears nobody who does not have it, and both directions
# answer each other's challenges. Then each side starts anew, which makes its counter begin anew.
#
#   s ─────────────── m
#   wireguard-go      meshd
#   babeld, key       10.44.0.2, BabelKey
#   10.44.9.1         fd44::2
#   fd44:9::1

. "${BASH_SOURCE%/*}/../lib.sh"

algorithm=hmac-sha256
key=00112233445566778899aabbccddeeff

nodes s m
link s m

stock_end s m fe80::5/64 10.44.9.1/32
in_node s ip address add fd44:9::1/128 dev lo nodad
start_babeld() {
  start s babeld -d 1 -I "$scratch/s/babeld.pid" -S "$scratch/s/babeld-state" \
    -C "key id main type $algorithm value $key" -C "interface $(device s) type tunnel key main" \
    -C "redistribute local ip 10.44.9.0/24" -C "redistribute local ip fd44:9::/64" \
    -C "redistribute local deny"
}

both_have_routes() {
  reaches m 10.44.9.1 && reaches m fd44:9::1 && has_route s 10.44.0.2 babel && has_route s fd44::2 babel
}

mesh_node m 2 s
up m
start_babeld
check "without the key nobody hears the other" fails within 6 both_have_routes

for algorithm in hmac-sha256 blake2s128; do
  kill -TERM "${pid[s]}"
  within 5 fails kill -0 "${pid[s]}"
  sed -i '/BabelKey/d' "$(config m)"
  echo "BabelKey = $algorithm $key" >>"$(config m)"
  check "m takes the key" in_node m "$MESHD" reload "$(config m)"
  start_babeld
  check "with $algorithm both have routes" within 30 both_have_routes
done

kill -TERM "${pid[m]}"
within 5 fails kill -0 "${pid[m]}"
up m
check "m starts anew and is heard again" within 30 both_have_routes

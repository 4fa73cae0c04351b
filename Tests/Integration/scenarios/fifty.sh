# Fifty nodes in a random graph of degree 4, of which a tenth of the links is cut and healed for five minutes. After each
# change everybody reaches everybody within 5 s, and nobody's memory grows.
#
#   n1 … n50, 100 links of their own; 10.44.0.1 … 10.44.0.50

. "${BASH_SOURCE%/*}/../lib.sh"

[ "${SLOW:-0}" = 1 ] || skip "takes six minutes; set SLOW=1"
count=50
seed=${SEED:-1}
echo "  seed $seed"

# The links, and for each round ten of them without which the rest is still connected.
python3 - $count "$seed" "$scratch" <<'END'
import random, sys
count, seed, directory = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
random.seed(seed)

def connected(links):
    seen, open_ = {1}, [1]
    while open_:
        node = open_.pop()
        for a, b in links:
            for x, y in ((a, b), (b, a)):
                if x == node and y not in seen:
                    seen.add(y)
                    open_.append(y)
    return len(seen) == count

def graph():
    """Every node has four links: the ends of all of them, shuffled and joined."""
    while True:
        ends = [node for node in range(1, count + 1) for _ in range(4)]
        random.shuffle(ends)
        links = {tuple(sorted(pair)) for pair in zip(ends[::2], ends[1::2])}
        if len(links) >= 2 * count - 6 and all(a != b for a, b in links) and connected(links):
            return sorted(links)

links = graph()
with open(f"{directory}/links", "w") as file:
    for a, b in links: print(f"n{a} n{b}", file=file)
with open(f"{directory}/rounds", "w") as file:
    for _ in range(100):
        while not connected(set(links) - set(cut := random.sample(links, len(links) // 10))): pass
        print(" ".join(f"n{a} n{b}" for a, b in cut), file=file)
END

mapfile -t names < <(for ((number = 1; number <= count; number++)); do echo n$number; done)
nodes "${names[@]}"
declare -A peers
while read -r a b; do
  link "$a" "$b"
  peers[$a]+=" $b"
  peers[$b]+=" $a"
done <"$scratch/links"
for node in "${names[@]}"; do
  # shellcheck disable=SC2086  # a list of words
  mesh_node "$node" "${node#n}" ${peers[$node]}
  start "$node" "$MESHD" up -f --lanes 1 --state-dir "$scratch/$node" "$(config "$node")"
done
all=()
for node in "${names[@]}"; do all+=("$tag-$node=10.44.0.${node#n}"); done

times=()
everybody() { # SECONDS: notes the time it took
  local time
  time=$("$here/../all-pairs" "$1" "${all[@]}") || return
  times+=("$time")
}
here=${BASH_SOURCE%/*}
memory() { # of all, in kB
  local node sum=0
  for node in "${names[@]}"; do sum=$((sum + $(awk '$1 == "VmRSS:" { print $2 }' "/proc/${pid[$node]}/status"))); done
  echo $sum
}
changes() { # COMMAND of sever or mend
  local cut=($round) index
  for ((index = 0; index < ${#cut[@]}; index += 2)); do "$1" "${cut[index]}" "${cut[index + 1]}"; done
}
for ((attempt = 0; attempt < 1; attempt++)); do
  everybody 60 || { echo "  FAIL  all find each other"; exit 1; }
done
echo "  ok    all $((count * (count - 1))) pairs reach each other, ${times[0]} ms after the last node's start"
times=()
first=
end=$((SECONDS + 300))
rounds=0
while read -r round && [ $SECONDS -lt $end ]; do
  rounds=$((rounds + 1))
  for change in sever mend; do
    changes $change
    everybody 5 || { echo "  FAIL  within 5 s after the ${change} of round $rounds"; exit 1; }
    sleep 4
  done
  # What grows at the beginning is what a table of this size needs.
  [ $rounds != 5 ] || first=$(memory)
done <"$scratch/rounds"
last=$(memory)
sorted=$(printf '%s\n' "${times[@]}" | sort -n)
echo "  ok    $rounds times a tenth of the links was cut and healed: all reach all after" \
  "$(sed -n "$((${#times[@]} / 2))p" <<<"$sorted") ms (median), $(tail -n 1 <<<"$sorted") ms (worst)"
check "memory is flat: $((first / count)) kB for each node at first, $((last / count)) kB in the end" \
  test $((last * 100)) -le $((first * 110))

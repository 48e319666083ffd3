#!/usr/bin/env bash
# Three routers in a chain, and no broker: what is sent at A is received at C.
#
#   A --- B --- C
#
# It takes some seconds, on free ports of the loopback interface, and leaves nothing behind.
. "$(dirname "$0")/routers.sh"

addresses='
addresses:
  - {name: commands/#, kind: anycast}
  - {name: alerts, kind: broadcast}'

say "Three routers: B connects to A, and C to B."
router A <<<"$addresses"
router B A <<<"$addresses"
router C B <<<"$addresses"
reaches A C 2

say "Nobody receives at commands/door: its sender gets no credit, and gives up."
if at A send commands/door open --timeout 1s 2>&1; then
  fail "it was sent to nobody"
fi

say "Somebody receives at C: what is sent at A is accepted when he has accepted it."
receiver doors C commands/door --count 3
at A send commands/door --timeout 20s < <(seq 3)
wait "$receiver"
same doors "1 2 3"

say "Another one rejects: his verdict crosses the network. What is sent before he is known at A comes back: nobody took it."
receiver rejected C commands/door --count 1 --reject
until answer=$(at A send commands/door burn --timeout 20s 2>&1) || grep rejected <<<"$answer"; do
  grep released <<<"$answer" || fail "the sender was told: $answer"
done
wait "$receiver"
same rejected burn

say "A broadcast reaches those who receive at A, B and C. It is repeated until all of them are known at A."
waiting=()
for name in A B C; do
  receiver "alerts.$name" "$name" alerts --count 1
  waiting+=("$receiver")
done
until [ -s "$lab/alerts.A" ] && [ -s "$lab/alerts.B" ] && [ -s "$lab/alerts.C" ]; do
  at A send alerts fire >/dev/null 2>&1 || true
done
wait "${waiting[@]}"
for name in A B C; do
  same "alerts.$name" fire
done

say "What A knows of the network:"
at A stat -n

say "The lab has succeeded."

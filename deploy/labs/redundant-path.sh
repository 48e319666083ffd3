#!/usr/bin/env bash
# Four routers in a chain, with a redundant path around the third, and a broker behind a waypoint at the fourth. A router dies, and
# nothing that was accepted is lost.
#
#   A --- B --- C --- D --- broker
#          \         /
#           ---------
#
# BROKER is the host:port of an AMQP 1.0 broker, such as Apache ActiveMQ Artemis, where BROKER_USER with BROKER_PASSWORD may
# use the queue "orders". Without it another manifold is the broker.
#
# It takes some seconds, on free ports of the loopback interface, and leaves nothing behind.
. "$(dirname "$0")/routers.sh"

if [ -z "${BROKER:-}" ]; then
  say "A manifold is the broker: it stores orders in a queue."
  cat >"$lab/broker.yaml" <<END
anonymous: true
mqtt: {port: 0, webSocket: {port: 0}}
amqp: {port: 0}
stomp: {port: 0}
http: {port: 0}
coap: {port: 0}
admin: {port: 0}
addresses: [{name: orders, kind: queue}]
END
  run broker
  BROKER=$(door broker amqp)
fi
login=${BROKER_USER:+, user: \"$BROKER_USER\", password: \"${BROKER_PASSWORD:-}\"}

say "Four routers: B connects to A, C to B, D to C; and D to B, at five times the cost."
there='addresses: [{name: orders, kind: anycast, egressPhase: 1}]'
router A <<<"$there"
router B A <<<"$there"
router C B <<<"$there"
router D C B:5 <<END
    - {name: broker, hosts: ["$BROKER"]$login}
addresses: [{name: orders, kind: anycast, waypoint: {connectors: [broker]}}]
END
reaches A D 3

say "Ten orders are sent at A. The broker has them."
at A send orders --timeout 20s < <(seq 10)

say "C dies. Ten more are sent at A: they take the other path, as soon as it is known that the first leads nowhere."
dies C
sent=10
until [ "$sent" -eq 20 ]; do
  if at A send orders "$((sent + 1))" --timeout 20s; then
    sent=$((sent + 1))
  fi
done

say "They are received at A. One that was in flight when C died may have come twice."
at A receive orders --count 20 --timeout 20s >"$lab/orders" 2>>"$lab/clients.log"
until [ "$(sort -nu "$lab/orders" | wc -l)" -eq 20 ]; do
  at A receive orders --count 1 --timeout 20s >>"$lab/orders" 2>>"$lab/clients.log"
done
sort -nu -o "$lab/orders" "$lab/orders"
same orders "$(seq -s ' ' 20)"

say "C comes back, and the network takes the cheaper path again."
again C
reaches A D 3
at A stat -n

say "The lab has succeeded."

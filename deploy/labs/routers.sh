# What the labs share: routers on free ports of the loopback interface, which end with the lab.
#
# MANIFOLD is the program that they run; the one in the PATH if it is not set.
set -euo pipefail

MANIFOLD=${MANIFOLD:-manifold}
lab=$(mktemp -d)
children=()

# finish ends what was started, and says what the routers said if the lab failed.
finish() {
  local code=$?
  for child in "${children[@]}"; do
    kill "$child" 2>/dev/null || true
  done
  wait
  if [ "$code" -ne 0 ]; then
    tail -n 40 "$lab"/*.log >&2 || true
  fi
  rm -rf "$lab"
}
trap finish EXIT

say() { printf '\n%s\n' "$*"; }

fail() {
  say "FAILED: $*" >&2
  exit 1
}

# router NAME [NEIGHBOR[:COST]]... starts a router that connects to others, which run already. What it reads from standard input
# is the rest of its configuration.
router() {
  local name=$1 neighbor cost
  shift
  {
    cat <<END
anonymous: true
mqtt: {port: 0, webSocket: {port: 0}}
amqp: {port: 0}
stomp: {port: 0}
http: {port: 0}
coap: {port: 0}
admin: {port: 0}
network:
  reconnect: {initial: 100ms, max: 1s}
  router: {id: $name, port: 0, anonymous: true}
  connectors:
END
    for neighbor in "$@"; do
      cost=1
      case $neighbor in *:*) cost=${neighbor#*:} neighbor=${neighbor%:*} ;; esac
      echo "    - {name: to-$neighbor, role: inter-router, cost: $cost, hosts: [\"$(door "$neighbor" router)\"]}"
    done
    cat
  } >"$lab/$name.yaml"
  run "$name"
}

# run starts a program with a configuration that is there, and waits until it is ready.
run() {
  "$MANIFOLD" run -c "$lab/$1.yaml" --data "$lab/$1.data" >"$lab/$1.doors" 2>>"$lab/$1.log" &
  children+=($!)
  echo $! >"$lab/$1.pid"
  until grep -q amqp "$lab/$1.doors" 2>/dev/null && [ -z "$(tail -n 1 "$lab/$1.doors")" ]; do
    kill -0 "$(cat "$lab/$1.pid")" 2>/dev/null || fail "$1 has ended: $(cat "$lab/$1.log")"
    sleep 0.1
  done
}

# dies ends a router without a warning.
dies() {
  kill -9 "$(cat "$lab/$1.pid")"
  wait "$(cat "$lab/$1.pid")" 2>/dev/null || true
}

# again starts a router that has died, at the port where its neighbors look for it.
again() {
  sed -i "s/id: $1, port: 0/id: $1, port: $(door "$1" router | cut -d : -f 2)/" "$lab/$1.yaml"
  rm "$lab/$1.doors"
  run "$1"
}

# door gives the host and port of a router's door, such as amqp.
door() { awk -v name="$2" '$1 == name { print $2 }' "$lab/$1.doors"; }

# at ROUTER COMMAND... runs a client at a router.
at() {
  local name=$1 command=$2
  shift 2
  "$MANIFOLD" "$command" --url "amqp://$(door "$name" amqp)" "$@"
}

# reaches ROUTER OTHER COST waits until a router knows the way to another one, and that it has a cost.
reaches() {
  until at "$1" stat -n | awk -v other="$2" -v cost="$3" '$1 == other && $4 == cost { found = 1 } END { exit !found }'; do
    sleep 0.1
  done
}

# receiver FILE ROUTER ARGUMENTS... has a client receive in the background; its process is in $receiver.
receiver() {
  local file=$1
  shift
  at "$1" receive "${@:2}" >"$lab/$file" 2>>"$lab/clients.log" &
  receiver=$!
  children+=("$receiver")
}

# same compares what was received, in any order, with what is expected.
same() {
  local got
  got=$(sort -n "$lab/$1" | tr '\n' ' ')
  [ "$got" = "$2 " ] || fail "received $got, expected $2"
  echo "received: $got"
}

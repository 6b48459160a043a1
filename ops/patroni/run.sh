#!/usr/bin/env bash
# A cluster of PostgreSQL that Patroni fails over, under the load of three processes of the service. Read it
# from the top to the bottom: the last part is what is done to the cluster.
# shellcheck disable=SC2317 # functions are called by eventually, and by traps
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
nodes='1 2 3'

help() {
  cat <<'HELP'
Usage: ops/patroni/run.sh [options]

Starts etcd and three nodes of Patroni with PostgreSQL on free ports of this machine, in a temporary
directory, and "npm run failover" over them, which judges every answer of the service. Meanwhile:

  1. patronictl switchover
  2. the primary and its agent are killed, and started again
  3. the primary and its agent are frozen until another one leads, and go on
  4. the agent of the primary is killed alone, and started again when another one leads
  5. the synchronous standby is killed
  6. the other standby too: nobody confirms a write; both are started again

It says for how long each process of the service did no writes, and ends with the exit code of the load:
0 if no write that was acknowledged is lost, and no answer was stale or another error than 503. Everything
is stopped and removed in the end, and by Ctrl-C. DATABASE_LEASE_MS is passed on to the service.

Options:
  --install             install what is missing, as root of a Debian or Ubuntu
  --ttl SECONDS         after which a primary is replaced that says nothing: 20 (for a short demonstration),
                        or 30, as in patroni.yaml
  --etcd3               speak version 3 of etcd's protocol with every Patroni. Those before 3.1 lose writes
                        so: they are given version 2, unless you want to see that
  --show-configuration  print patroni.yaml as the first node gets it, and do nothing
  --help                print this
HELP
}

die() {
  echo "$*" >&2
  exit 1
}

wrong() {
  echo "$*: \"ops/patroni/run.sh --help\" says how it is called" >&2
  exit 2
}

ttl=20 etcd3='' install='' show=''
while [[ $# -gt 0 ]]; do
  case $1 in
    --install) install=yes ;;
    --etcd3) etcd3=yes ;;
    --show-configuration) show=yes ;;
    --ttl)
      [[ ${2:-} =~ ^(20|30)$ ]] || wrong 'After --ttl stands 20 or 30'
      ttl=$2
      shift
      ;;
    --help)
      help
      exit
      ;;
    *) wrong "There is no option $1" ;;
  esac
  shift
done

directory='' etcd='' load=''
agent=() rest=() port_of=()

# --- What is needed -----------------------------------------------------------------------------------

postgres=$(find /usr/lib/postgresql -path '*/bin/postgres' 2>/dev/null | sort --version-sort | tail -n 1 || true)
bin_dir=$(dirname "${postgres:-/usr/lib/postgresql/15/bin/postgres}")

has() {
  command -v "$1" >/dev/null
}

missing() {
  [[ $postgres ]] || echo postgresql
  { has patroni && has patronictl; } || echo patroni
  has etcd || echo etcd-server
  has curl || echo curl
}

# What patroni.yaml calls etcd, by version 3 of its protocol or by version 2.
etcd_section() {
  local version
  version=$(has patroni && patroni --version | cut -d ' ' -f 2)
  if [[ $etcd3 ]] || printf '%s\n' 3.1 "${version:-4}" | sort --check=quiet --version-sort; then
    echo etcd3
  else
    echo etcd
  fi
}

# Ports that nobody listens on, below those that the system gives to clients.
choose_ports() {
  local node port=$((20000 + RANDOM % 10000)) ports=()
  while [[ ${#ports[@]} -lt 8 ]]; do
    port=$((port + 1))
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || ports+=("$port")
  done
  etcd_port=${ports[0]} etcd_peer_port=${ports[1]}
  for node in $nodes; do
    rest[node]=${ports[2 * node]}
    port_of[node]=${ports[2 * node + 1]}
  done
}

secret() {
  od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

configuration() {
  sed -e "s|\${NAME}|node$1|" \
    -e "s|\${REST_PORT}|${rest[$1]}|" \
    -e "s|\${POSTGRES_PORT}|${port_of[$1]}|" \
    -e "s|\${ETCD}|$(etcd_section)|" \
    -e "s|\${ETCD_PORT}|$etcd_port|" \
    -e "s|\${BIN_DIR}|$bin_dir|" \
    -e "s|\${DIRECTORY}|$directory/node$1|" \
    -e "s|\${SUPERUSER_PASSWORD}|$superuser_password|" \
    -e "s|\${REPLICATION_PASSWORD}|$replication_password|" \
    -e "s|\${REWIND_PASSWORD}|$rewind_password|" \
    "$here/patroni.yaml"
}

choose_ports
superuser_password=$(secret) replication_password=$(secret) rewind_password=$(secret)
employees_password=$(secret)

if [[ $show ]]; then
  directory=/tmp/employees-patroni
  configuration 1
  exit
fi

if [[ $install && $(missing) ]]; then
  [[ $EUID -eq 0 ]] || die '--install needs root'
  apt-get update
  # RUNLEVEL=1: Debian must not start servers that nobody asked for.
  missing | RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive xargs apt-get install --yes --no-install-recommends
  exec "$0" --ttl "$ttl" ${etcd3:+--etcd3}
fi
if [[ $(missing) ]]; then
  die "Install what is missing, or add --install: apt-get install $(missing | tr '\n' ' ')"
fi

# --- What is stopped and removed, however this ends -----------------------------------------------------

# The main process of a node's PostgreSQL, if it is there: what its file says may be of a dead one.
postmaster() {
  local data="$directory/node$1/data" pid
  pid=$(head -n 1 "$data/postmaster.pid" 2>/dev/null) || return 0
  if [[ $(readlink "/proc/$pid/cwd") == "$data" ]]; then echo "$pid"; fi
}

# It and all that it has started.
processes() {
  local main
  main=$(postmaster "$1")
  if [[ $main ]]; then
    echo "$main"
    pgrep --parent "$main" || true
  fi
}

are_gone() {
  ! kill -0 "$@" 2>/dev/null
}

clean_up() {
  trap '' INT TERM
  set +e
  local all=() main lock
  # Each is the leader of a group of its own.
  if [[ $load ]]; then disown "$load"; fi
  local each
  for each in $load "${agent[@]}" $etcd; do kill -KILL -- "-$each" 2>/dev/null; done
  for node in $nodes; do
    main=$(postmaster "$node")
    [[ $main ]] || continue
    all+=("$main")
    # shellcheck disable=SC2046 # a number each
    kill -CONT $(processes "$node") 2>/dev/null
    # An immediate shutdown, as it gives the system its shared memory back. A killed one could not.
    kill -QUIT "$main"
  done
  for main in "${all[@]}"; do until are_gone "$main"; do sleep 0.1; done; done
  for lock in "$directory"/node*/data/postmaster.pid; do
    [[ -e $lock ]] && ipcrm --shmem-id "$(awk 'NR == 7 { print $2 }' "$lock")" 2>/dev/null
  done
  rm -rf "$directory"
}

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- Starting -------------------------------------------------------------------------------------------

directory=$(realpath "$(mktemp --directory --tmpdir employees-patroni-XXXXXX)")
log="$directory/load.log"
mkdir "$directory"/node{1,2,3}
# In a session of its own, so that Ctrl-C does not reach it, and without PATRONI_… of whoever calls this.
server=(setsid env -i -C "$directory" "PATH=$PATH" LC_ALL=C.UTF-8)
# PostgreSQL refuses to be run by root.
if [[ $EUID -eq 0 ]]; then server+=(setpriv --reuid=postgres --regid=postgres --init-groups); fi

start_etcd() {
  local url="http://127.0.0.1:$etcd_port" peer="http://127.0.0.1:$etcd_peer_port" options=()
  if [[ $(etcd_section) == etcd ]]; then options=(--enable-v2); fi
  "${server[@]}" etcd --name one --data-dir "$directory/etcd" \
    --listen-client-urls "$url" --advertise-client-urls "$url" \
    --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" \
    --initial-cluster "one=$peer" "${options[@]}" \
    >"$directory/etcd.log" 2>&1 &
  etcd=$!
  disown
}

# Starts an agent, which starts PostgreSQL.
start() {
  "${server[@]}" patroni "$directory/node$1.yaml" >>"$directory/node$1.log" 2>&1 &
  agent[$1]=$!
  disown
}

# Waits for a condition: SECONDS WHAT COMMAND...
eventually() {
  local end=$((SECONDS + $1)) what=$2
  until "${@:3}"; do
    if ((SECONDS > end)); then
      tail -n 15 "$directory"/*.log >&2
      die "Waited $1 s in vain until $what"
    fi
    sleep 0.5
  done
}

# The nodes as etcd has them, a line each. Agents are not asked: what they say may be of a moment ago.
members() {
  patronictl -c "$directory/node1.yaml" list --format tsv employees 2>/dev/null
}

# The node that is Leader or "Sync Standby".
who() {
  members | grep $'\t'"$1"$'\t' | grep --only-matching --max-count 1 'node[0-9]' | tr -d '[:lower:]'
}

# Whether another node than this is it.
is_other() {
  local node
  node=$(who "$1") && [[ $node != "$2" ]]
}

sql() {
  PGPASSWORD=$superuser_password PGCONNECT_TIMEOUT=2 "$bin_dir/psql" --quiet --no-psqlrc --no-align \
    --tuples-only --set ON_ERROR_STOP=1 --host 127.0.0.1 --port "${port_of[$(who Leader)]}" --username postgres
}

# Whether Patroni knows whom it may promote, and the primary streams to both standbys.
is_healthy() {
  local streams="SELECT count(*), count(*) FILTER (WHERE sync_state = 'sync') FROM pg_stat_replication
    WHERE state = 'streaming'"
  [[ $(who 'Sync Standby') && $(sql <<<"$streams" 2>/dev/null) == '2|1' ]]
}

echo "A cluster in $directory"
for node in $nodes; do
  (umask 077 && configuration "$node" >"$directory/node$node.yaml")
done
if [[ $EUID -eq 0 ]]; then chown -R postgres:postgres "$directory"; fi
start_etcd
for node in $nodes; do start "$node"; done
eventually 120 'there is a leader with two standbys' is_healthy
if [[ $ttl -eq 20 ]]; then
  curl --silent --fail --request PATCH --data '{"ttl": 20, "loop_wait": 5, "retry_timeout": 5}' \
    --output /dev/null "http://127.0.0.1:${rest[$(who Leader)]}/config"
fi
sql <<SQL
CREATE ROLE employees LOGIN PASSWORD '$employees_password';
CREATE DATABASE employees OWNER employees ENCODING 'UTF8' TEMPLATE template0;
SQL
echo "Node $(who Leader) is the primary, and node $(who 'Sync Standby') its synchronous standby (ttl $ttl s)"

# --- The load -------------------------------------------------------------------------------------------

hosts=127.0.0.1:${port_of[1]},127.0.0.1:${port_of[2]},127.0.0.1:${port_of[3]}
url=postgres://employees:$employees_password@$hosts/employees
: >"$log"
(cd "$here/../.." && exec setsid npm run --silent failover -- --url "$url" --minutes 60) >>"$log" 2>&1 &
load=$!
tail --lines=+1 --follow --pid=$load "$log" | sed --unbuffered 's/^/    /' &
shown=$!

said() {
  grep --count "$1" "$log" || true
}

has_begun() {
  if are_gone "$load"; then die 'The load has ended'; fi
  [[ $(said ' s: ') -gt 0 ]]
}

# How many processes of the service do no writes.
idle() {
  echo $(($(said 'does no writes') - $(said 'writes again')))
}

none_writes() {
  [[ $(idle) -eq 3 ]]
}

# Whether all write, and did for five seconds since the load had said so many lines.
all_write() {
  [[ $(idle) -eq 0 && $(tail --lines=+$(($1 + 1)) "$log" | grep --count ' s: ') -ge 2 ]]
}

lines() {
  wc -l <"$log"
}

summary=()

begin() {
  event=$1 begun=$(lines)
  echo "$event"
}

# Waits until all is well again.
finish() {
  local longest
  eventually 180 'there is a leader with two standbys' is_healthy
  eventually 60 'all processes write' all_write "$(lines)"
  longest=$(
    tail --lines=+$((begun + 1)) "$log" | sed -n 's/.*writes again, after \(.*\) s$/\1/p' |
      sort --numeric-sort | tail -n 1
  )
  summary+=("$event: ${longest:-less than 1} s")
}

# --- What is done to the cluster ------------------------------------------------------------------------

# All processes of a node's PostgreSQL: SIGNAL NODE
signal() {
  # Some end meanwhile.
  # shellcheck disable=SC2046 # a number each
  kill -"$1" $(processes "$2") 2>/dev/null || true
}

kill_agent() {
  kill -KILL "${agent[$1]}"
  unset "agent[$1]"
}

kill_node() {
  kill_agent "$1"
  signal KILL "$1"
}

eventually 240 'the load writes' has_begun

begin '1. A switchover'
"${server[@]}" patronictl -c "$directory/node1.yaml" switchover employees --force
finish

begin '2. The primary and its agent are killed'
primary=$(who Leader)
kill_node "$primary"
eventually 120 'another node leads' is_other Leader "$primary"
start "$primary"
finish

begin '3. The primary and its agent are frozen until another one leads, and go on'
primary=$(who Leader)
kill -STOP "${agent[$primary]}"
# Those that it starts meanwhile are stopped as well.
kill -STOP "$(postmaster "$primary")"
signal STOP "$primary"
eventually 120 'another node leads' is_other Leader "$primary"
signal CONT "$primary"
# For so long nobody tells it that it is replaced.
sleep 5
kill -CONT "${agent[$primary]}"
finish

begin '4. The agent of the primary is killed alone: two take themselves for the primary'
primary=$(who Leader)
kill_agent "$primary"
eventually 120 'another node leads' is_other Leader "$primary"
sleep 5
start "$primary"
finish

begin '5. The synchronous standby is killed'
standby=$(who 'Sync Standby')
kill_node "$standby"
eventually 60 'another standby is synchronous' is_other 'Sync Standby' "$standby"
start "$standby"
finish

begin '6. Both standbys are killed: nobody confirms a write'
primary=$(who Leader)
for node in $nodes; do
  if [[ $node != "$primary" ]]; then kill_node "$node"; fi
done
eventually 60 'no process writes' none_writes
sleep 5
for node in $nodes; do
  if [[ $node != "$primary" ]]; then start "$node"; fi
done
finish

# --- The verdict ----------------------------------------------------------------------------------------

code=0
kill -TERM $load
wait $load || code=$?
load=''
wait $shown || true
echo
echo 'The longest that a process of the service did no writes:'
printf '  %s\n' "${summary[@]}"
tail -n 1 "$log"
exit $code

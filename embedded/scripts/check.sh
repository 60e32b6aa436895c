#!/usr/bin/env bash
# The engine against its judges, in the short form for every change: probe, recorded cases, durability.
#
#   embedded/scripts/check.sh             from a built project (npm run build); needs nothing beside this folder
#   ROUNDS=20 embedded/scripts/check.sh   more rounds of kill -9
#
# The last line is `N passed, N failed`; the exit code is 0 only when nothing failed.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 2

ROUNDS=${ROUNDS:-3}
JUDGES=embedded/conformance
work=$(mktemp -d)
engine=
passed=0
failed=0

finish () {
  [ -n "$engine" ] && kill "$engine" 2> /dev/null && wait "$engine" 2> /dev/null
  rm -rf "$work"
}
trap finish EXIT

# start <folder>: an engine on a socket in it; sets $url
start () {
  node embedded/dist/cli.js --dir "$1" > "$work/out" 2> "$work/err" &
  engine=$!
  for _ in $(seq 100); do
    url=$(head -n 1 "$work/out")
    [ -n "$url" ] && return 0
    kill -0 "$engine" 2> /dev/null || break
    sleep 0.1
  done
  cat "$work/err"
  return 1
}

stop () {
  kill "$engine" && wait "$engine"
  local code=$?
  engine=
  return $code
}

# run <name> <command...>
run () {
  local name=$1
  shift
  echo "== $name"
  if "$@" > "$work/log" 2>&1; then
    passed=$((passed + 1))
    tail -n 1 "$work/log"
  else
    failed=$((failed + 1))
    grep -v '^pass' "$work/log"
  fi
}

replay () {
  node "$JUDGES/replay.mjs" "$url" "$JUDGES/fixtures" --family="$1" --min="$2" --show=3
}

[ -f embedded/dist/cli.js ] || npx --no-install tsc -b embedded/tsconfig.build.json || exit 1
start "$work/data" || { echo '0 passed, 1 failed'; exit 1; }
run probe node "$JUDGES/probe.mjs" "$url" --embedded
run 'replay: what an application does' replay '^(cursors|explain|filters|findAndModify|indexes|reads|transactions|updates|writes)' 99
run 'replay: expressions' replay '^expressions' 98
run 'replay: pipelines' replay '^pipelines' 98
run 'replay: collation' replay '^collation' 95
run 'replay: text' replay '^text' 80
run 'an orderly end' stop
# durability starts and kills the engine itself, on the address that its folder gives
start "$work/durable" && stop
run "durability, $ROUNDS rounds" node "$JUDGES/durability.mjs" "$url" --rounds="$ROUNDS" -- node embedded/dist/cli.js --dir "$work/durable"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

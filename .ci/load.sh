#!/usr/bin/env bash
# Measures POST /search on the whole server, with its middleware, over real
# operations: requests/s, latencies, and what GET /health takes meanwhile.
#
#   .ci/load.sh [SECONDS] [DATA]
#
# DATA is the folder with specs/ and eval/ (default ../shared/data).
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-30}
data=${2:-${API_ASSISTANT_DATA:-../shared/data}}
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$work"' EXIT
go build -o "$work/server" ./examples/server
go build -o "$work/loadtest" ./httpapi/loadtest
key=$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n')
HOST=127.0.0.1 PORT=0 CHROMA_PERSIST_DIR="$work/data" REQUIRE_AUTH=true API_KEYS="$key" LOAD_SAMPLE=false \
  SECRET_KEY="$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')" \
  RATE_LIMIT_PER_MINUTE=1000000 RATE_LIMIT_BURST=1000000 "$work/server" >"$work/out" 2>"$work/log" &
pid=$!
url=
for _ in $(seq 100); do
  url=$(grep -o 'http://127.0.0.1:[0-9]*' "$work/out" | head -1 || true)
  [ -n "$url" ] && break
  sleep 0.1
done
[ -n "$url" ] || { cat "$work/log"; exit 1; }
uploads=()
for dir in "$data"/specs/openapi "$data"/eval/*/corpus; do
  [ -d "$dir" ] && uploads+=(-upload "$dir")
done
API_KEY=$key "$work/loadtest" -url "$url" "${uploads[@]}" -duration "${seconds}s"
awk '/VmRSS|VmHWM/ {printf "server %s %d MB\n", $1, $2 / 1024}' "/proc/$pid/status"

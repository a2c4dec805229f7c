#!/usr/bin/env bash
# Starts the built server on an empty data directory and walks the main job: the
# bundled sample, an upload, a search, a checked answer, a restart, and the test
# step of the deployment guide. Needs curl and python3 (for reading JSON).
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in curl python3; do
  command -v "$tool" >/dev/null || apt-get install -qq -y "$tool" >/dev/null
done
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null; rm -rf "$work"' EXIT
go build -o "$work/server" ./examples/server

export CHROMA_PERSIST_DIR=$work/data PORT=18080
base=http://127.0.0.1:$PORT

start() { # environment assignments
  env "$@" "$work/server" >>"$work/out" 2>>"$work/log" &
  pid=$!
  for _ in $(seq 100); do
    curl -fs "$base/health" >/dev/null 2>&1 && return
    sleep 0.1
  done
  cat "$work/log"
  echo "the server did not start"
  exit 1
}
stop() { # signal
  kill "-$1" "$pid"
  wait "$pid" || true
  pid=
}
field() { # python expression over the answer d
  python3 -c "import json,sys; d=json.load(sys.stdin); print($1)"
}
expect() { # what, wanted, got
  if [ "$2" != "$3" ]; then
    printf 'FAIL %s: wanted %s, got %s\n' "$1" "$2" "$3"
    exit 1
  fi
  printf 'ok   %s: %s\n' "$1" "$3"
}
post() { # path, JSON, curl options
  curl -s -X POST "$base$1" -H 'Content-Type: application/json' -d "$2" "${@:3}"
}
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }

start RATE_LIMIT_PER_MINUTE=0
expect "curl lines printed" 3 "$(grep -c '^ *curl ' "$work/out")"
loaded=$(curl -s "$base/stats" | field 'd["collection"]["total_documents"]')
[ "$loaded" -gt 10 ] || expect "sample loaded" "more than 10 documents" "$loaded"
expect "search finds the operation" "POST /orders" \
  "$(post /search '{"query":"place an order"}' | field 'd["results"][0]["metadata"]["endpoint"]')"
expect "chat cites and checks it" "True ok" \
  "$(post /chat '{"message":"How do I place an order?"}' | field 'str(d["grounded"])+" "+d["verification"]["endpoints"][0]["status"]')"
expect "an acknowledged document" 201 "$(status -X POST "$base/documents" -H 'Content-Type: application/json' -d '{"documents":[{"id":"kept","content":"kept over a crash"}]}')"
stop KILL

start RATE_LIMIT_PER_MINUTE=0
expect "documents after kill -9" $((loaded + 1)) "$(curl -s "$base/stats" | field 'd["collection"]["total_documents"]')"
expect "the acknowledged document" "kept over a crash" "$(curl -s "$base/documents/kept" | field 'd["content"]')"
stop TERM

key=api-key-$(python3 -c 'import secrets; print(secrets.token_urlsafe(32))')
start REQUIRE_AUTH=true API_KEYS="$key" ALLOWED_ORIGINS=https://app.example.com \
  SECRET_KEY="$(python3 -c 'import secrets; print(secrets.token_hex(32))')"
query=(-X POST "$base/search" -H 'Content-Type: application/json' -d '{"query":"test"}')
expect "no key" 401 "$(status "${query[@]}")"
expect "right key" 200 "$(status "${query[@]}" -H "X-API-Key: $key")"
expect "preflight shows the origin" "https://app.example.com" \
  "$(curl -s -o /dev/null -D - -X OPTIONS "$base/search" -H 'Origin: https://app.example.com' -H 'Access-Control-Request-Method: POST' |
    tr -d '\r' | sed -n 's/^Access-Control-Allow-Origin: //Ip')"
if grep -qF "$key" "$work/log" "$work/out"; then
  echo "FAIL the log holds the key"
  exit 1
fi
stop TERM

#!/usr/bin/env bash
# Sends generated requests, good and bad, to the built server, and holds its
# answers to its own /openapi.json: no server error, no status, header or body
# that the description does not have. Once without keys and once with one.
#
#   .ci/schemathesis.sh [PROGRAM | VENV] [SECONDS]
#
# The first argument is the schemathesis program, or a virtual environment to
# install it into (default: a temporary one); the second bounds each of the two runs
# (default 75). Needs Go, curl and python3.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$work"' EXIT

program=${1:-$work/venv}
seconds=${2:-75}
if [ ! -f "$program" ]; then
  [ -x "$program/bin/pip" ] || python3 -m venv "$program"
  [ -x "$program/bin/schemathesis" ] || "$program/bin/pip" install -q 'schemathesis>=4,<5'
  program=$program/bin/schemathesis
fi
go build -o "$work/server" ./examples/server
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

start() { # environment assignments
  env HOST=127.0.0.1 PORT="$port" CHROMA_PERSIST_DIR="$work/data$RANDOM" RATE_LIMIT_PER_MINUTE=0 "$@" \
    "$work/server" >"$work/log" 2>&1 &
  pid=$!
  for _ in $(seq 100); do
    curl -fs "http://127.0.0.1:$port/health" >/dev/null 2>&1 && return
    sleep 0.1
  done
  cat "$work/log"
  echo "the server did not start"
  exit 1
}
stop() {
  kill "$pid"
  wait "$pid" || true
  pid=
}

# Not among the checks: negative_data_rejection, because numbers as text and
# words for booleans are accepted by contract; positive_data_acceptance, because
# a schema cannot say what an invalid regular expression or a duplicate id is;
# allow_header_conformance, because Allow also has the methods of /documents/{id}
# where /documents/bulk-delete is asked, which that path does answer;
# ignored_auth, because it fails on the routes that are open on purpose when
# requests carry a wrong key (the tests of examples/server cover keys).
checks=not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance
checks=$checks,response_schema_conformance,unsupported_method,use_after_free,ensure_resource_availability

run() { # options
  if ! (cd "$work" && "$program" run "http://127.0.0.1:$port/openapi.json" --checks "$checks" \
    --phases examples,coverage,fuzzing,stateful --max-time "$seconds" --max-examples 100 --request-timeout 20 \
    --suppress-health-check all --warnings off --continue-on-failure --no-color "$@"); then
    grep -a '"level":"ERROR"' "$work/log" | head -5 || true
    exit 1
  fi
}

echo "== without keys"
start
run
stop

echo "== with a key"
key=$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n')
start REQUIRE_AUTH=true API_KEYS="$key" SECRET_KEY="$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')"
run --header "X-API-Key: $key"
stop

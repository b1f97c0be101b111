#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the release gateway in front of the demo backend and says what to try.
# QUICKSTART_CHECK=1: sends the six requests itself, checks the answers, and ends.
set -euo pipefail
cd "$(dirname "$0")/.."

public=http://127.0.0.1:8080
admin=http://127.0.0.1:9901
alice=alice-demo-key-0123456789abcdef
bob=bob-demo-key-0123456789abcdefgh
logs=build/quickstart
mkdir -p "$logs"

fail() {
    printf 'sluice: %s\n' "$*" >&2
    exit 1
}

for port in 8080 9901 9001; do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        fail "port $port of 127.0.0.1 is taken; the quickstart needs 8080, 9901 and 9001"
    fi
done

# Job control puts each child into a process group of its own, so Ctrl-C reaches this script only
# and the gateway is asked to stop once.
set -m
pids=()
stop_all() {
    trap - INT TERM EXIT
    for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
}
trap stop_all EXIT
trap 'stop_all; echo; echo "sluice: stopped"; exit 0' INT TERM

build/release/demo_backend --verbose >"$logs/backend.log" 2>&1 &
pids+=($!)
build/release/sluice run --config config/quickstart >"$logs/access.log" 2>"$logs/gateway.log" &
pids+=($!)
gateway=$!

until curl -fs --retry 5 --retry-connrefused --retry-delay 1 -o "$logs/ready" "$admin/readyz"; do
    kill -0 "$gateway" 2>/dev/null || { tail -n 20 "$logs/gateway.log" >&2; fail "the gateway ended"; }
done

# The six requests: what each shows, and the command. In check mode each is run and its answer
# compared with the pattern.
shows=(
    'a proxied request'
    '403: this method needs an API key'
    '429 Too Many Requests: two at once, then one per second'
    '429 Limit Exceeded: three requests a day'
    'cache: a miss, then a hit with the same time (and an Age)'
    'metrics'
)
commands=(
    "curl -i '$public/prod/pets?type=dog'"
    "curl -i '$public/prod/pets/1'"
    "curl -s -w '%{http_code}\n' -H 'x-api-key: $alice' '$public/prod/pets/1?n=[1-4]'"
    "curl -s -w '%{http_code}\n' -H 'x-api-key: $bob' '$public/prod/pets/1?n=[1-4]'"
    "curl -i -s '$public/prod/time' '$public/prod/time'"
    "curl -s '$admin/metrics' | grep -E '^sluice_(requests|throttled|quota|cache_(hits|misses))'"
)
expected=(
    'HTTP/1.1 200 .*"name":"Rex"'
    'HTTP/1.1 403 .*[{]"message":"Forbidden"[}]'
    'Rex.*200.*Rex.*200.*[{]"message":"Too Many Requests"[}]429.*429'
    'Rex.*200.*Rex.*200.*Rex.*200.*[{]"message":"Limit Exceeded"[}]429'
    '("epochMicros":[0-9]+).*[Aa]ge: .*\1'
    'sluice_cache_hits_total[{][^}]*[}] 1 '
)

if [[ -n ${QUICKSTART_CHECK:-} ]]; then
    failures=0
    for i in "${!commands[@]}"; do
        answer=$(bash -c "${commands[i]}" 2>/dev/null | tr '\r\n' '  ')
        if grep -Eq "${expected[i]}" <<<"$answer"; then
            printf 'ok    %s\n' "${shows[i]}"
        else
            printf 'FAIL  %s\n      %s\n      answered: %s\n' "${shows[i]}" "${commands[i]}" "$answer"
            failures=$((failures + 1))
        fi
    done
    ((failures == 0)) || fail "$failures of ${#commands[@]} answers are not what they should be"
    exit 0
fi

cat <<END

Sluice is running.
  gateway         $public/prod/pets
  status page     $admin/
  admin           $admin/metrics   $admin/healthz   $admin/config
  demo backend    http://127.0.0.1:9001/pets
  configuration   config/quickstart/   logs   $logs/

Try, in another terminal:
END
for i in "${!commands[@]}"; do
    printf '\n  # %d. %s\n  %s\n' $((i + 1)) "${shows[i]}" "${commands[i]}"
done
printf '\nCtrl-C ends both.\n'
wait "$gateway" || fail "the gateway ended; see $logs/gateway.log"

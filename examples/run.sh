#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every example: those that need nothing by themselves, each server together with its client.
#
# Usage: examples/run.sh [folder of the built programs]
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$(realpath "${1:-build/dev}")
examples=$bin/examples
dir=$(mktemp -d "${TMPDIR:-/tmp}/weft-examples.XXXXXX")
server=
ran=""

stop() {
    [ -n "$server" ] || return 0
    kill "$server" 2>/dev/null || true
    wait "$server" || {
        echo "the server did not end cleanly" >&2
        return 1
    }
    server=
}
trap 'stop || true; rm -rf "$dir"' EXIT

# Two users of one machine: the same key cannot be at both ends.
export WEFT_HOME=$dir/client

run() { # run NAME ARGUMENT...: it must end with 0 within a minute
    local name=$1
    shift
    ran+=" $name"
    timeout 60 "$examples/example-$name" "$@"
}

start() { # start NAME ARGUMENT...: a server, which says first how to reach it: $peer
    local name=$1
    shift
    ran+=" $name"
    rm -f "$dir/out" # what the one before said is no answer of this one
    WEFT_HOME=$dir/server "$examples/example-$name" "$@" >"$dir/out" &
    server=$!
    for _ in $(seq 200); do
        [ ! -s "$dir/out" ] || break
        sleep 0.05
    done
    peer=$(head -n 1 "$dir/out")
    [ -n "$peer" ]
}

expect() { # expect TEXT FILE
    grep -qF -- "$1" "$2" || {
        echo "expected \"$1\" in:" >&2
        cat "$2" >&2
        return 1
    }
}

for name in keys groups node pins files; do
    echo "--- $name"
    run $name
done

echo "--- time_server and time_client"
start time_server 127.0.0.1:0
run time_client "$peer"
stop

echo "--- file_drop and send_file"
head -c 3000000 /dev/urandom >"$dir/picture"
start file_drop "$dir/inbox" 127.0.0.1:0
run send_file "$dir/picture" "$peer"
stop
cmp "$dir/picture" "$dir/inbox/picture"

echo "--- poll_loop, twice"
start poll_loop
echo "a line" | run poll_loop "$peer"
stop
expect "a line" "$dir/out"

echo "--- stream_upper and weft cat"
start stream_upper 127.0.0.1:0
seq -f 'line %.0f' 200000 >"$dir/lines"
timeout 60 "$bin/weft" cat --quiet "$peer" <"$dir/lines" >"$dir/upper"
stop
tr '[:lower:]' '[:upper:]' <"$dir/lines" | cmp - "$dir/upper"

count=0
for source in examples/*.c; do
    name=$(basename "$source" .c)
    case " $ran " in
    *" $name "*) count=$((count + 1)) ;;
    *)
        echo "nothing here runs $source" >&2
        exit 1
        ;;
    esac
done
echo "$count examples ran"

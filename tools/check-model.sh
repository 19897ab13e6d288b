#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the SPIN model of docs/model through all of its states: its claims must hold, and must fail with each fault and with
# each denial of an end, or they would say nothing.
#
# Usage: tools/check-model.sh
set -euo pipefail
cd "$(dirname "$0")/.."

model=$PWD/docs/model/handshake.pml
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"

command -v spin >/dev/null || {
    echo "check-model: spin is not installed; apt-get install spin, then try again" >&2
    exit 1
}

# Prints "errors states".
visit() {
    spin "$@" -a "$model" >spin.log 2>&1 || {
        cat spin.log >&2
        exit 1
    }
    gcc -w -O2 -DSAFETY -o pan pan.c
    timeout 300 ./pan -m200000 >pan.log 2>&1
    if grep -q 'max search depth too small' pan.log; then exit 1; fi
    awk '/errors:/ { e = $NF } /states, stored/ { s = $1 } END { print e, s }' pan.log
}

read -r errors states < <(visit)
[ "$errors" = 0 ] || {
    cat pan.log >&2
    echo "check-model: a claim of docs/model/handshake.pml does not hold" >&2
    exit 1
}
switches=$(grep -oE '#ifdef [A-Z_]+' "$model" | sort -u | cut -d' ' -f2)
for switch in $switches; do
    read -r errors _ < <(visit "-D$switch")
    [ "$errors" = 1 ] || {
        echo "check-model: with $switch a claim must fail, and none did" >&2
        exit 1
    }
    echo "$switch: fails, as it must"
done
echo "every claim holds in all $states states; each of $(wc -w <<<"$switches") switches breaks one"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes each target, or the ones named, for some seconds. What it learns is kept in build/fuzz/corpus, next to the
# small corpus of the tree; what it breaks is kept in build/fuzz/crashes, and makes it fail.
#
# Usage: tools/fuzz.sh SECONDS [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=$1
shift
bin=build/fuzz/fuzz
if [ $# -eq 0 ]; then
    for source in fuzz/*_fuzz.c; do
        name=${source##*/}
        set -- "$@" "${name%_fuzz.c}"
    done
fi

status=0
for target in "$@"; do
    program=$bin/${target}_fuzz
    if [ ! -x "$program" ]; then
        echo "fuzz: there is no target $target; there are: $(cd fuzz && echo *_fuzz.c | sed 's/_fuzz\.c//g')" >&2
        exit 2
    fi
    learned=build/fuzz/corpus/$target
    crashes=build/fuzz/crashes/$target
    mkdir -p "$learned" "$crashes"
    options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$crashes/")
    [ ! -f "fuzz/$target.dict" ] || options+=(-dict="fuzz/$target.dict")
    if "$program" "${options[@]}" "$learned" "fuzz/corpus/$target" >"build/fuzz/$target.log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$target.log")
        covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "build/fuzz/$target.log" | tail -n 1)
        printf '%-24s %12s runs  %6s edges\n' "$target" "$runs" "$covered"
    else
        status=1
        tail -n 40 "build/fuzz/$target.log"
        echo "fuzz: $target failed; the input is in $crashes; again: $program $crashes/FILE"
    fi
done
exit $status

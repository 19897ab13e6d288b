# SPDX-License-Identifier: Apache-2.0
# Runs named stages, each a shell function stage_NAME, and says how each went. Sourced by check.sh and
# check-long.sh, which set $make_target, $stages and $fatal.
#
# A stage's output goes to build/$make_target/NAME.log; its last line is shown beside its time. After a failure the
# end of the log and the one command that runs the stage again are shown, and the other stages still run, except
# that nothing is worth running after a stage named in $fatal.

logs=build/$make_target
python=/usr/bin/python3
log_lines_shown=60

# Usage: run_stage NAME; sets failed_stages.
run_stage() {
    local name=$1 started ended status
    started=$(date +%s%N)
    set +e
    (
        set -euo pipefail
        "stage_$name"
    ) >"$logs/$name.log" 2>&1 </dev/null
    status=$?
    set -e
    ended=$(date +%s%N)
    local seconds
    seconds=$(printf '%d.%d' $(((ended - started) / 1000000000)) $(((ended - started) / 100000000 % 10)))
    if [ $status -eq 0 ]; then
        printf '%-10s ok     %7s s  %s\n' "$name" "$seconds" "$(tail -n 1 "$logs/$name.log")"
        return
    fi
    printf '%-10s FAILED %7s s\n' "$name" "$seconds"
    # Without ninja's progress.
    { grep -vE '^\[[0-9]+/[0-9]+\] ' "$logs/$name.log" || true; } | tail -n $log_lines_shown | sed 's/^/    /'
    printf '    whole log: %s; again: make %s STAGE=%s\n' "$logs/$name.log" "$make_target" "$name"
    failed_stages="$failed_stages $name"
}

# Usage: run_stages NAME...; returns through failed_stages. Call it as a plain command: "set -e" must reach stages.
run_stages() {
    local name
    failed_stages=""
    mkdir -p "$logs"
    for name in "$@"; do
        if ! declare -F "stage_$name" >/dev/null; then
            echo "$make_target: no such stage: $name (there are: $stages)" >&2
            exit 2
        fi
    done
    for name in "$@"; do
        run_stage "$name"
        case "$failed_stages " in
        *" $name "*) case " $fatal " in *" $name "*) break ;; esac ;;
        esac
    done
}

# Sums the counts that stages left; the line stands alone so that a program can find it. A failed stage that
# counted no failed test, such as a build, is one failure.
print_counts() {
    "$python" - "$logs" $failed_stages <<'PY'
import json, os, sys
totals = {"passed": 0, "failed": 0, "skipped": 0}
logs, failed_stages = sys.argv[1], sys.argv[2:]
for name in os.listdir(logs):
    if name.endswith(".counts"):
        counts = json.load(open(os.path.join(logs, name)))
        for key in totals:
            totals[key] += counts[key]
        if counts["failed"] and name[:-7] in failed_stages:
            failed_stages.remove(name[:-7])
totals["failed"] += len(failed_stages)
if totals["skipped"]:
    print(f"{totals['skipped']} skipped")
print(f"{totals['passed']} passed, {totals['failed']} failed")
PY
}

# The named stages, or all; then the verdict and the counts.
check_main() {
    local started=$SECONDS
    mkdir -p "$logs"
    rm -f "$logs"/*.counts
    if [ $# -gt 0 ]; then
        run_stages "$@"
    else
        run_stages $stages
    fi
    if [ -n "$failed_stages" ]; then
        echo "$make_target: failed after $((SECONDS - started)) s:$failed_stages"
    else
        echo "$make_target: all is well after $((SECONDS - started)) s"
    fi
    print_counts
    [ -z "$failed_stages" ]
}

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What takes hours and is worth them now and then.
#
# Usage: [SEEDS=n] [FUZZ_SECONDS=n] tools/check-long.sh [STAGE...]      (make check-long STAGE="...")
set -euo pipefail
cd "$(dirname "$0")/.."
make_target=check-long
. tools/stages.sh

stages="deps model unit seeds e2e tsan msan reproducible fuzz coverage"
fatal="deps"

SEEDS=${SEEDS:-20000}
FUZZ_SECONDS=${FUZZ_SECONDS:-600}
first_seed=$(od -An -N6 -tu8 /dev/urandom | tr -d ' ')

stage_deps() {
    tools/install-deps.sh long
    echo "everything needed is installed"
}

stage_model() {
    tools/check-model.sh
}

# Longer sequences of events, more datagrams whose fate is decided.
stage_unit() {
    tools/build.sh dev
    WEFT_LONG=1 "$python" tools/run-tests.py build/dev --label unit --counts "$logs/unit.counts"
}

stage_seeds() {
    tools/build.sh dev weft-sim
    build/dev/weft-sim --seeds "$SEEDS" --from "$first_seed" --jobs "$(nproc)" --keep-going
}

# The minutes-long ones too: ten gigabytes through a pipe, a session that rests for longer than it may be idle.
stage_e2e() {
    tools/build.sh release
    WEFT_LONG=1 WEFT_BUILD=$PWD/build/release "$python" tests/e2e/run.py --counts "$logs/e2e.counts"
}

stage_tsan() {
    tools/build.sh tsan
    "$python" tools/run-tests.py build/tsan --counts "$logs/tsan.counts"
}

stage_msan() {
    tools/build.sh msan
    "$python" tools/run-tests.py build/msan --counts "$logs/msan.counts"
}

# Two folders, the same bytes.
stage_reproducible() {
    local there=$PWD/$logs/reproducible one other file
    rm -rf "$there"
    mkdir -p "$there"
    git clone -q . "$there/elsewhere"
    git clone -q . "$there/another"
    (cd "$there/elsewhere" && tools/build.sh release)
    (cd "$there/another" && tools/build.sh release)
    for file in libweft.so libweft.a weft weftd; do
        one=$there/elsewhere/build/release/$file
        other=$there/another/build/release/$file
        [ ! -e "$one" ] || cmp "$one" "$other"
    done
    rm -rf "$there"
    echo "two builds in two folders are equal"
}

stage_fuzz() {
    tools/build.sh fuzz fuzzers
    tools/fuzz.sh "$FUZZ_SECONDS"
    echo "no target failed in $FUZZ_SECONDS s"
}

stage_coverage() {
    tools/build.sh coverage
    "$python" tools/run-tests.py build/coverage
    "$python" tools/coverage.py build/coverage
}

check_main "$@"

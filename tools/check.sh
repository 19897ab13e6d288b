#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything that must hold before a commit, as stages. A new stage is one function here and one word in the list.
#
# Usage: [SEEDS=n] tools/check.sh [STAGE...]      (make check STAGE="...")
set -euo pipefail
cd "$(dirname "$0")/.."
make_target=check
. tools/stages.sh

stages="deps format layers sizes text spec api tools gcc clang release purity symbols headers tidy unit replay vectors e2e netns trace seeds asan ct examples install"
# After one of these nothing else is worth running.
fatal="deps gcc clang"

SEEDS=${SEEDS:-1000}
TRACE_SEEDS=${TRACE_SEEDS:-40}
ASAN_SEEDS=${ASAN_SEEDS:-40}
first_seed=$(od -An -N6 -tu8 /dev/urandom | tr -d ' ')

sources() { # tracked or new, never ignored: sources PATTERN...
    git ls-files -z --cached --others --exclude-standard -- "$@"
}

stage_deps() {
    tools/install-deps.sh check
    gcc --version | head -n 1
    clang --version | head -n 1
    echo "everything needed is installed"
}

stage_format() {
    tools/format.sh
    echo "clang-format has nothing to change"
}

stage_layers() { "$python" tools/check-layers.py tools/layers.txt .; }

stage_sizes() { sources '*.c' '*.h' | xargs -0 "$python" tools/check-sizes.py; }

# The tool that looks for the words, and its test, have to spell them.
stage_text() {
    sources | xargs -0 "$python" tools/check-text.py spdx
    sources '*.c' '*.h' '*.sh' '*.cmake' '*.def' CMakeLists.txt Makefile '*.py' \
        ':!tools/check-text.py' ':!tests/tools/*' | xargs -0 "$python" tools/check-text.py words
    sources '*.c' '*.h' | xargs -0 "$python" tools/check-text.py banned
}

# Requirements that no code or no test names yet are in the log.
stage_spec() {
    "$python" tools/check-model.py .
    "$python" tools/check-spec.py .
}

stage_tools() { "$python" tests/tools/run.py --counts "$logs/tools.counts"; }

stage_gcc() {
    tools/build.sh dev
    echo "gcc: no warning"
}

stage_clang() {
    tools/build.sh clang
    echo "clang: no warning"
}

stage_release() {
    tools/build.sh release
    "$python" tools/check-elf.py build/release
}

stage_purity() {
    tools/build.sh release
    "$python" tools/check-purity.py tools/purity.txt tools/layers.txt build/release
}

stage_symbols() {
    tools/build.sh release
    "$python" tools/check-symbols.py tools/symbols.txt include build/release/libweft.so
}

stage_headers() { tools/check-headers.sh; }

stage_tidy() {
    tools/build.sh clang
    "$python" tools/run-tidy.py build/clang
}

stage_unit() {
    tools/build.sh dev
    "$python" tools/run-tests.py build/dev --label unit --counts "$logs/unit.counts"
}

stage_replay() {
    tools/build.sh dev
    "$python" tools/run-tests.py build/dev --label replay --counts "$logs/replay.counts"
}

# The golden vectors, opened by the independent decoder.
stage_vectors() { "$python" tests/vectors/decode_vectors.py --counts "$logs/vectors.counts"; }

# The built programs, as processes, from the outside.
stage_e2e() {
    tools/build.sh dev
    WEFT_BUILD=$PWD/build/dev "$python" tests/e2e/run.py --counts "$logs/e2e.counts"
}

# The same seeds give the same run, whatever the compiler. A red seed is told by the stage seeds; here it has its
# hash like any other.
stage_trace() {
    tools/build.sh dev weft-sim
    tools/build.sh clang weft-sim
    for compiler in dev clang; do
        "build/$compiler/weft-sim" --seeds "$TRACE_SEEDS" --hash --keep-going --jobs "$(nproc)" |
            grep -E '^[0-9]+ [0-9a-f]{16}$' | sort -n >"$logs/trace.$compiler" || true
    done
    diff "$logs/trace.dev" "$logs/trace.clang"
    [ "$(wc -l <"$logs/trace.dev")" -eq "$TRACE_SEEDS" ] || {
        echo "only $(wc -l <"$logs/trace.dev") of $TRACE_SEEDS seeds came to their end"
        return 1
    }
    echo "$TRACE_SEEDS seeds have one trace hash with gcc and clang"
}

# Seeds that nobody has seen before; a red one is a bug, and is told with the command that shows it again.
stage_seeds() {
    tools/build.sh dev weft-sim
    build/dev/weft-sim --regressions sim/regressions.txt
    build/dev/weft-sim --seeds "$SEEDS" --from "$first_seed" --jobs "$(nproc)" --keep-going
}

# The same tests once more, counted where they ran first, and a few seeds.
stage_asan() {
    tools/build.sh asan
    "$python" tools/run-tests.py build/asan
    WEFT_BUILD=$PWD/build/asan "$python" tests/e2e/run.py
    build/asan/weft-sim --seeds "$ASAN_SEEDS" --from "$first_seed" --jobs "$(nproc)" --keep-going
}

# No branch and no address depends on a secret, in code optimised as it is installed.
stage_ct() {
    tools/build.sh ctgrind ct_secrets_test
    valgrind -q --error-limit=no --suppressions=tests/ct/libraries.supp build/ctgrind/tests/ct_secrets_test
}

# Real sockets in network namespaces: tests/net-ns/*.sh find the programs in $WEFT_BUILD.
stage_netns() {
    tools/build.sh release
    "$python" tools/run-tests.py build/release --scripts tests/net-ns/*.sh --counts "$logs/netns.counts"
}

# Each example runs: servers with their clients, the others by themselves.
stage_examples() {
    tools/build.sh dev
    examples/run.sh build/dev
}

# Every public function has an example and a test.
stage_api() { "$python" tools/check-api.py; }

stage_install() { tools/check-install.sh; }

check_main "$@"

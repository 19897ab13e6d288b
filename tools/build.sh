#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Configures a preset when it was not yet, and builds it (or the named targets of it).
#
# Usage: tools/build.sh PRESET [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."

preset=$1
shift
# A copied or moved tree would build into the old place: configure afresh then.
cache=build/$preset/CMakeCache.txt
if [ -f "$cache" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$cache"; then
    rm -rf "build/$preset"
fi
if [ ! -f "build/$preset/build.ninja" ]; then
    mkdir -p "build/$preset"
    cmake --preset "$preset" >"build/$preset/configure.log" 2>&1 || {
        cat "build/$preset/configure.log" >&2
        exit 1
    }
fi
targets=()
[ $# -eq 0 ] || targets=(--target "$@")
# Past the first error, so that one run shows them all.
exec cmake --build "build/$preset" "${targets[@]}" -- -k 0

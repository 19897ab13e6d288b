#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what one of the sets "run", "check", "long" or "bench" needs and is missing, with apt. Calls apt only when
# something is missing, and starts no service.
#
# Usage: tools/install-deps.sh SET
set -euo pipefail

# One package a word; "a|b" is the first of the two that the distribution has, "a|" one that may be absent.
run_set="gcc libc6-dev cmake ninja-build pkg-config libsodium-dev libssl-dev libsqlite3-dev libjansson-dev"
check_set="$run_set g++ clang libclang-rt-dev| llvm clang-format-14|clang-format clang-tidy-14|clang-tidy cppcheck
    libcmocka-dev python3 python3-cryptography python3-nacl git iproute2 nftables valgrind"
long_set="$check_set spin"
bench_set="$run_set iperf3 openssl python3"

die() {
    echo "install-deps: $*" >&2
    exit 1
}

case "${1:-}" in
run) wanted=$run_set ;;
check) wanted=$check_set ;;
long) wanted=$long_set ;;
bench) wanted=$bench_set ;;
*) die "usage: tools/install-deps.sh run|check|long|bench" ;;
esac

# Elsewhere than on Debian and Ubuntu it is enough that the build tools and libraries are there.
without_apt() {
    local missing=""
    for tool in cc cmake ninja pkg-config; do
        command -v "$tool" >/dev/null || missing+=" $tool"
    done
    for module in libsodium "libcrypto >= 3" sqlite3 jansson; do
        pkg-config --exists "$module" 2>/dev/null || missing+=" ${module%% *}"
    done
    [ -z "$missing" ] || die "this is neither Debian nor Ubuntu, so please install by hand:$missing"
    exit 0
}

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

offered() {
    [ -n "$(apt-cache madison "$1" 2>/dev/null)" ]
}

command -v apt-get >/dev/null && command -v dpkg-query >/dev/null || without_apt

# Words of the set that are not installed. One that the distribution may lack counts only when it is offered.
find_missing() {
    local word first second
    missing=()
    for word in $wanted; do
        first=${word%%|*}
        second=${word#"$first"}
        second=${second#|}
        if installed "$first" || { [ -n "$second" ] && installed "$second"; }; then
            continue
        fi
        if [ "$word" = "$first|" ] && ! offered "$first"; then
            continue
        fi
        missing+=("$word")
    done
}

find_missing
[ ${#missing[@]} -gt 0 ] || exit 0

root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "missing: ${missing[*]}; become root or install sudo, then try again"
    root=(sudo)
fi
echo "install-deps: installing ${missing[*]}"
"${root[@]}" apt-get -qq -o DPkg::Lock::Timeout=300 update || die "apt-get update failed; is there a network?"

find_missing # once more: what is offered is known only now

packages=()
for word in "${missing[@]}"; do
    first=${word%%|*}
    if [ "$first" = "$word" ] || offered "$first"; then
        packages+=("$first")
    else
        packages+=("${word#*|}")
    fi
done
[ ${#packages[@]} -gt 0 ] || exit 0

# invoke-rc.d asks this file before it starts anything; 101 is "not allowed".
policy=${WEFT_POLICY_RC_D:-/usr/sbin/policy-rc.d}
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
    "${root[@]}" chmod 755 "$policy"
    trap '"${root[@]}" rm -f "$policy"' EXIT
fi
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 \
    install --no-install-recommends "${packages[@]}" >/dev/null ||
    die "apt-get could not install: ${packages[*]}"

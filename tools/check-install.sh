#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs into an empty folder and uses what is there as a stranger would: by pkg-config, shared and static, and by
# CMake's find_package. Nothing of the source tree is on any path.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/build.sh release
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
DESTDIR=$stage/root cmake --install build/release --prefix /opt/weft >"$stage/install.log"
root=$stage/root/opt/weft

cat >"$stage/main.c" <<'C'
#include <stdio.h>
#include <weft/base.h>
int main(void)
{
    puts(weft_version());
    return 0;
}
C
cat >"$stage/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.22)
project(stranger LANGUAGES C)
find_package(weft REQUIRED)
add_executable(shared main.c)
target_link_libraries(shared PRIVATE weft::weft)
add_executable(static main.c)
target_link_libraries(static PRIVATE weft::weft_static)
CMAKE

cd "$stage"
pc=$(find "$root" -name weft.pc)
export PKG_CONFIG_PATH=${pc%/*} LD_LIBRARY_PATH=${pc%/pkgconfig/*}
read -ra flags <<<"$(pkg-config --cflags --libs weft)"
gcc main.c "${flags[@]}" -o by-pkg-config
read -ra private <<<"$(pkg-config --cflags --static --libs weft)"
gcc main.c "${private[@]/-lweft/-l:libweft.a}" -o by-pkg-config-static
cmake -S . -B by-cmake -DCMAKE_PREFIX_PATH="$root" >cmake.log
cmake --build by-cmake >>cmake.log

want=$(pkg-config --modversion weft)
for program in by-pkg-config by-pkg-config-static by-cmake/shared by-cmake/static; do
    have=$("./$program")
    [ "$have" = "$want" ] || {
        echo "$program says it is $have, weft.pc says $want"
        exit 1
    }
done
# The installed programs find the installed library by themselves.
unset LD_LIBRARY_PATH
for program in "$root"/bin/*; do
    [ ! -x "$program" ] || "$program" --version >/dev/null
done
echo "installed files work by pkg-config and CMake, shared and static"

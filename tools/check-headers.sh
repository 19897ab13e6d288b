#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone: the public ones as C17 and as C++ without any of our flags, the inner ones as C17.
set -euo pipefail
cd "$(dirname "$0")/.."

strict=(-fsyntax-only -Wall -Wextra -Wstrict-prototypes -Wundef -Werror)
count=0

# The compiler is told the language, and the header is included from a file of its own: a header compiled as
# the main file draws warnings about being one.
compile() { # compile HEADER COMPILER FLAG...
    local header=$1
    shift
    printf '#include "%s"\n' "$header" | "$@" - || {
        echo "$header does not compile alone with: $*"
        exit 1
    }
}

for path in include/weft/*.h; do
    header=${path#include/}
    compile "$header" gcc -x c -std=c17 "${strict[@]}" -Iinclude
    compile "$header" clang -x c -std=c17 "${strict[@]}" -Iinclude
    compile "$header" g++ -x c++ -std=c++17 -fsyntax-only -Wall -Wextra -Werror -Iinclude
    count=$((count + 1))
done
while IFS= read -r path; do
    compile "${path#src/}" gcc -x c -std=c17 -D_GNU_SOURCE= "${strict[@]}" -Iinclude -Isrc
    count=$((count + 1))
done < <(git ls-files --cached --others --exclude-standard -- 'src/*.h')
echo "$count headers compile alone"

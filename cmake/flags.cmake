# SPDX-License-Identifier: Apache-2.0
# Compiler and linker flags: warnings for our own code, hardening for what is installed, sanitizers by preset.
include(CheckCCompilerFlag)
include(CheckCSourceCompiles)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported() # executables are linked as PIE by name, not by the distribution's default

# Always -g; -O2 wherever speed or flow-dependent warnings matter, -O1 under sanitizers.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
set(CMAKE_C_FLAGS_DEBUG "-O2 -g")
set(CMAKE_C_FLAGS_SANITIZE "-O1 -g -fno-omit-frame-pointer")
set(CMAKE_C_FLAGS_COVERAGE "-O0 -g")

add_library(weft_flags INTERFACE)
target_compile_definitions(weft_flags INTERFACE "_GNU_SOURCE=")
target_compile_options(weft_flags INTERFACE
    -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    -Wvla -Wformat=2 -Wundef -Wcast-qual -Wpointer-arith
    "-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=")
if(WEFT_WERROR)
    target_compile_options(weft_flags INTERFACE -Werror)
endif()

# Assertions stay on everywhere; those of measured hot paths are off in release alone.
if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_definitions(weft_flags INTERFACE WEFT_DEBUG)
endif()

function(weft_flag_if_supported flag)
    string(MAKE_C_IDENTIFIER "has${flag}" has)
    check_c_compiler_flag("-Werror ${flag}" ${has})
    if(${has})
        target_compile_options(weft_flags INTERFACE ${flag})
    endif()
endfunction()

# The highest _FORTIFY_SOURCE level that compiler and C library have together.
function(weft_fortify)
    set(CMAKE_REQUIRED_FLAGS "-O2 -Werror -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3")
    check_c_source_compiles("#include <string.h>\nint main(void) { return 0; }" WEFT_HAS_FORTIFY_3)
    set(level 2)
    if(WEFT_HAS_FORTIFY_3)
        set(level 3)
    endif()
    target_compile_options(weft_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=${level})
endfunction()

if(CMAKE_BUILD_TYPE STREQUAL "Release")
    # Signed overflow and null dereferences are bugs that UBSan looks for in the asan build; should one
    # have been missed, the compiler must not delete a check because of it. Automatic variables are not
    # zeroed by flag: packet buffers on the stack would pay for it at every datagram.
    weft_flag_if_supported(-fstack-protector-strong)
    weft_flag_if_supported(-fstack-clash-protection)
    weft_flag_if_supported(-fno-strict-overflow)
    weft_flag_if_supported(-fno-delete-null-pointer-checks)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|i[3-6]86")
        weft_flag_if_supported(-fcf-protection=full)
    elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
        weft_flag_if_supported(-mbranch-protection=standard)
    endif()
    weft_fortify()
    # Reproducible: the same sources give the same bytes in whatever folder they are built, so programs
    # name the library beside them by a relative path.
    set(CMAKE_BUILD_RPATH_USE_ORIGIN ON)
    target_compile_options(weft_flags INTERFACE
        "-ffile-prefix-map=${CMAKE_BINARY_DIR}=build" "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")
    target_link_options(weft_flags INTERFACE
        -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed -Wl,--build-id=sha1)
endif()

if(WEFT_SANITIZE)
    set(weft_san -fsanitize=${WEFT_SANITIZE} -fno-sanitize-recover=all)
    target_compile_options(weft_flags INTERFACE ${weft_san})
    target_link_options(weft_flags INTERFACE ${weft_san})
    if(WEFT_SANITIZE MATCHES "memory")
        target_compile_options(weft_flags INTERFACE -fsanitize-memory-track-origins)
    endif()
endif()
if(WEFT_FUZZ)
    target_compile_options(weft_flags INTERFACE -fsanitize=fuzzer-no-link)
    target_link_options(weft_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(WEFT_CTGRIND)
    target_compile_definitions(weft_flags INTERFACE WEFT_CTGRIND)
endif()
if(WEFT_COVERAGE)
    target_compile_options(weft_flags INTERFACE --coverage -fprofile-update=atomic)
    target_link_options(weft_flags INTERFACE --coverage)
endif()

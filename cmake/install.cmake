# SPDX-License-Identifier: Apache-2.0
# What `make install` puts where: libraries, headers, weft.pc, the CMake package, programs, and those of manual
# pages, systemd unit and shell completion that the tree has.
include(CMakePackageConfigHelpers)

# Programs find the library beside them below the same prefix, wherever that is; a distribution's own
# prefix needs no help.
file(RELATIVE_PATH weft_to_lib "/${CMAKE_INSTALL_BINDIR}" "/${CMAKE_INSTALL_LIBDIR}")
foreach(app IN LISTS WEFT_APPS)
    if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
        set_target_properties(${app} PROPERTIES INSTALL_RPATH "$ORIGIN/${weft_to_lib}")
    endif()
    install(TARGETS ${app} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endforeach()

if(TARGET weft)
    install(TARGETS weft weft_static EXPORT weft-targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(EXPORT weft-targets NAMESPACE weft:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/weft)
    configure_package_config_file("${CMAKE_SOURCE_DIR}/packaging/weft-config.cmake.in"
        "${CMAKE_BINARY_DIR}/weft-config.cmake" INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/weft)
    write_basic_package_version_file("${CMAKE_BINARY_DIR}/weft-config-version.cmake" COMPATIBILITY SameMinorVersion)
    install(FILES "${CMAKE_BINARY_DIR}/weft-config.cmake" "${CMAKE_BINARY_DIR}/weft-config-version.cmake"
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/weft)
    # The prefix in weft.pc is relative to the file, so that an installed tree can be moved.
    file(RELATIVE_PATH WEFT_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
    string(REGEX REPLACE "/$" "" WEFT_PC_PREFIX "${WEFT_PC_PREFIX}")
    configure_file("${CMAKE_SOURCE_DIR}/packaging/weft.pc.in" "${CMAKE_BINARY_DIR}/weft.pc" @ONLY)
    install(FILES "${CMAKE_BINARY_DIR}/weft.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
    install(DIRECTORY "${CMAKE_SOURCE_DIR}/include/weft" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
endif()

foreach(section 1 5 7 8)
    file(GLOB pages CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/docs/man/*.${section}")
    if(pages)
        install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
    endif()
endforeach()

# Only installed: whether the daemon starts is the administrator's word.
if(EXISTS "${CMAKE_SOURCE_DIR}/packaging/weftd.service")
    install(FILES "${CMAKE_SOURCE_DIR}/packaging/weftd.service" DESTINATION lib/systemd/system)
endif()
# A sample configuration, for reading and copying.
if(EXISTS "${CMAKE_SOURCE_DIR}/packaging/weftd.conf")
    install(FILES "${CMAKE_SOURCE_DIR}/packaging/weftd.conf" DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()
# Shells look a completion up by the command's name; one file serves all programs.
foreach(program weft weftd weft-netem)
    if(EXISTS "${CMAKE_SOURCE_DIR}/packaging/completion/weft.bash")
        install(FILES "${CMAKE_SOURCE_DIR}/packaging/completion/weft.bash"
            DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME ${program})
    endif()
    if(EXISTS "${CMAKE_SOURCE_DIR}/packaging/completion/weft.fish")
        install(FILES "${CMAKE_SOURCE_DIR}/packaging/completion/weft.fish"
            DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME ${program}.fish)
    endif()
endforeach()
if(EXISTS "${CMAKE_SOURCE_DIR}/packaging/completion/_weft")
    install(FILES "${CMAKE_SOURCE_DIR}/packaging/completion/_weft" DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
endif()

# SPDX-License-Identifier: Apache-2.0
# One static library for each folder of src/, linked to the folders it may include (tools/layers.txt), and
# libweft out of all of them. A folder without sources is an empty library, so a tree in the making builds.

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tools/layers.txt")
file(STRINGS "${CMAKE_SOURCE_DIR}/tools/layers.txt" weft_layer_lines REGEX "^[a-z_]+:")

set(WEFT_FOLDERS "")
set(weft_objects "")
foreach(line IN LISTS weft_layer_lines)
    string(REGEX MATCH "^([a-z_]+): *(.*)$" _ "${line}")
    set(folder "${CMAKE_MATCH_1}")
    string(REPLACE " " ";" lower "${CMAKE_MATCH_2}")
    list(TRANSFORM lower PREPEND "wf_")
    # Highest rank first, the order in which a linker of static archives wants them.
    list(REVERSE lower)

    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${folder}/*.c")
    list(APPEND WEFT_FOLDERS ${folder})
    if(sources)
        add_library(wf_${folder} STATIC ${sources})
        target_include_directories(wf_${folder} PUBLIC "${CMAKE_SOURCE_DIR}/include" "${CMAKE_SOURCE_DIR}/src")
        target_link_libraries(wf_${folder} PRIVATE weft_flags PUBLIC ${lower} ${WEFT_NEEDS_${folder}})
        list(APPEND weft_objects $<TARGET_OBJECTS:wf_${folder}>)
    else()
        add_library(wf_${folder} INTERFACE)
        target_include_directories(wf_${folder} INTERFACE "${CMAKE_SOURCE_DIR}/include" "${CMAKE_SOURCE_DIR}/src")
        target_link_libraries(wf_${folder} INTERFACE ${lower} ${WEFT_NEEDS_${folder}})
    endif()
endforeach()

if(TARGET wf_base AND weft_objects)
    target_compile_definitions(wf_base PRIVATE "WEFT_VERSION_STRING=\"${PROJECT_VERSION}\"")
endif()

# Everything inside, for tests, simulator, fuzz targets and benchmarks.
add_library(wf_all INTERFACE)
set(weft_all ${WEFT_FOLDERS})
list(REVERSE weft_all)
list(TRANSFORM weft_all PREPEND "wf_")
target_link_libraries(wf_all INTERFACE ${weft_all})

# The product. Only what carries WEFT_API leaves the shared library (tools/symbols.txt).
set(weft_outside PkgConfig::SODIUM PkgConfig::CRYPTO PkgConfig::SQLITE PkgConfig::JANSSON Threads::Threads)
if(weft_objects)
    add_library(weft SHARED ${weft_objects})
    add_library(weft_static STATIC ${weft_objects})
    set_target_properties(weft PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LINKER_LANGUAGE C)
    set_target_properties(weft_static PROPERTIES OUTPUT_NAME weft LINKER_LANGUAGE C)
    target_link_libraries(weft PRIVATE weft_flags ${weft_outside})
    target_link_libraries(weft_static PRIVATE ${weft_outside})
    foreach(product weft weft_static)
        target_include_directories(${product} INTERFACE
            $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    endforeach()
    if(NOT WEFT_SANITIZE)
        target_link_options(weft PRIVATE -Wl,-z,defs)
    endif()
endif()

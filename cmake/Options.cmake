# What every target of ours is compiled with. Linked PRIVATE, so that nothing of it reaches a user of the library.
add_library(gpukeeper_options INTERFACE)
target_compile_options(gpukeeper_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
                       -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual -Wnull-dereference -Werror
                       -Wno-missing-field-initializers)  # members left out of {.x = 1} have their defaults
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports -Wnull-dereference and -Wmaybe-uninitialized inside its own inlined library code at -O2.
  target_compile_options(gpukeeper_options INTERFACE -Wno-null-dereference -Wno-maybe-uninitialized)
endif()

# What no one calls is left out of programs and of the library, function by function.
add_compile_options($<$<NOT:$<CONFIG:Debug>>:-ffunction-sections> $<$<NOT:$<CONFIG:Debug>>:-fdata-sections>)
add_link_options(-Wl,--gc-sections)

if(GPUKEEPER_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)  # without it libFuzzer sees no coverage and searches blindly
endif()

if(GPUKEEPER_SANITIZE)
  add_compile_options(-fsanitize=${GPUKEEPER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${GPUKEEPER_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_compile_options(-fno-sanitize=function)  # clang-14: "Cannot represent a difference across sections"
  endif()
else()
  # One file that runs wherever glibc is new enough: the compiler's own libraries come along.
  add_link_options(-static-libstdc++ -static-libgcc)
endif()

# gpukeeper_shared_unwinder(TARGET): exceptions that cross the border of a shared library need one unwinder for both sides:
# libgcc_s, which every glibc comes with. Two copies of it abort at the first throw.
function(gpukeeper_shared_unwinder target)
  get_target_property(options ${target} LINK_OPTIONS)
  if(options)
    list(REMOVE_ITEM options -static-libgcc)
    set_target_properties(${target} PROPERTIES LINK_OPTIONS "${options}")
  endif()
endfunction()

# gpukeeper_small(TARGET): it is optimised for size, in place of the -O2 of the build type.
function(gpukeeper_small target)
  if(NOT GPUKEEPER_SANITIZE)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release,RelWithDebInfo>:-Os>)
  endif()
endfunction()

# gpukeeper_packed_relocations(TARGET): a program's table of addresses to be moved is 9 KB in place of 0.8 MB of
# 15.6. It takes a linker that makes it and a glibc (2.36) that reads it, so a program is tried.
if(NOT GPUKEEPER_SANITIZE AND NOT CMAKE_CROSSCOMPILING)
  include(CheckCXXSourceRuns)
  set(CMAKE_REQUIRED_LINK_OPTIONS -Wl,-z,pack-relative-relocs)
  check_cxx_source_runs("const char* at[] = {\"a\", \"b\"}; int main(int n, char**) { return at[n & 1] == nullptr; }"
                        GPUKEEPER_PACKS_RELOCATIONS)
  unset(CMAKE_REQUIRED_LINK_OPTIONS)
endif()
function(gpukeeper_packed_relocations target)
  if(GPUKEEPER_PACKS_RELOCATIONS)
    target_link_options(${target} PRIVATE -Wl,-z,pack-relative-relocs)
  endif()
endfunction()

# gpukeeper_folder(NAME [QUICK] SOURCES ... HEADERS ... USES ... [LIBRARIES ...]): the one target of a folder under src/.
# USES names folders above it in the architecture's list: what is not linked cannot be misused.
# QUICK is for what is measured in single microseconds: bookings. The rest is optimised for size, which halves it: the
# wheel for Python carries all of it.
function(gpukeeper_folder name)
  cmake_parse_arguments(PARSE_ARGV 1 F "QUICK" "" "SOURCES;HEADERS;USES;LIBRARIES")
  add_library(gpukeeper_${name} STATIC ${F_SOURCES})
  add_library(gpukeeper::${name} ALIAS gpukeeper_${name})
  target_sources(gpukeeper_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/src FILES ${F_HEADERS})
  target_link_libraries(gpukeeper_${name} PRIVATE $<BUILD_INTERFACE:gpukeeper_options> ${F_LIBRARIES})
  if(NOT F_QUICK)
    gpukeeper_small(gpukeeper_${name})
  endif()
  foreach(used IN LISTS F_USES)
    target_link_libraries(gpukeeper_${name} PUBLIC gpukeeper::${used})
  endforeach()
  set_target_properties(gpukeeper_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
endfunction()

# gpukeeper_test(NAME SOURCES ... USES ... [LIBRARIES ...]): one GoogleTest program over the named folders.
function(gpukeeper_test name)
  cmake_parse_arguments(PARSE_ARGV 1 T "" "" "SOURCES;USES;LIBRARIES")
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE gpukeeper_options gpukeeper_fakes GTest::gmock GTest::gtest_main ${T_LIBRARIES})
  foreach(used IN LISTS T_USES)
    target_link_libraries(${name} PRIVATE gpukeeper::${used})
  endforeach()
  target_compile_definitions(${name} PRIVATE GPUKEEPER_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                             GPUKEEPER_BINARY_DIR="${PROJECT_BINARY_DIR}")
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST)
endfunction()

# Every library that we build on, found once. Static where Debian has an archive (docs/decisions/0001-one-static-binary.md).
find_package(Threads REQUIRED)

# static_dependency(NAME HEADER header ARCHIVE libx.a): an imported target gpukeeper_dep_NAME.
function(static_dependency name)
  cmake_parse_arguments(PARSE_ARGV 1 D "" "HEADER;ARCHIVE;PACKAGE" "")
  find_path(${name}_INCLUDE ${D_HEADER})
  if(D_ARCHIVE)
    find_library(${name}_ARCHIVE NAMES ${D_ARCHIVE})
  else()
    set(${name}_ARCHIVE "header-only")
  endif()
  if(NOT ${name}_INCLUDE OR NOT ${name}_ARCHIVE)
    message(FATAL_ERROR "${name} was not found: install the package ${D_PACKAGE}, or run ./run, which does")
  endif()
  add_library(gpukeeper_dep_${name} INTERFACE IMPORTED GLOBAL)
  target_include_directories(gpukeeper_dep_${name} SYSTEM INTERFACE ${${name}_INCLUDE})
  if(D_ARCHIVE)
    target_link_libraries(gpukeeper_dep_${name} INTERFACE ${${name}_ARCHIVE})
  endif()
endfunction()

static_dependency(expected HEADER tl/expected.hpp PACKAGE libexpected-dev)
static_dependency(fmt HEADER fmt/format-inl.h PACKAGE libfmt-dev)  # its one source file is ours: src/core/fmt_library.cpp
static_dependency(spdlog HEADER spdlog/sinks/rotating_file_sink.h PACKAGE libspdlog-dev)
static_dependency(json HEADER nlohmann/json.hpp PACKAGE nlohmann-json3-dev)
static_dependency(cli11 HEADER CLI/CLI.hpp PACKAGE libcli11-dev)
# Its archive goes into our shared library only together with libstdc++'s, which sanitizers do without.
set(yaml_file libyaml-cpp.a)
if(GPUKEEPER_SANITIZE)
  set(yaml_file libyaml-cpp.so)
endif()
static_dependency(yaml HEADER yaml-cpp/yaml.h ARCHIVE ${yaml_file} PACKAGE libyaml-cpp-dev)
static_dependency(sqlite HEADER sqlite3.h ARCHIVE libsqlite3.a PACKAGE libsqlite3-dev)
static_dependency(xml HEADER pugixml.hpp ARCHIVE libpugixml.a PACKAGE libpugixml-dev)
static_dependency(crypto HEADER openssl/evp.h ARCHIVE libcrypto.a PACKAGE libssl-dev)
static_dependency(ssl HEADER openssl/ssl.h ARCHIVE libssl.a PACKAGE libssl-dev)
target_link_libraries(gpukeeper_dep_ssl INTERFACE ${crypto_ARCHIVE})  # after it: it is what libssl uses
target_link_libraries(gpukeeper_dep_crypto INTERFACE ${CMAKE_DL_LIBS} Threads::Threads)
static_dependency(curses HEADER curses.h ARCHIVE libncursesw.a PACKAGE libncurses-dev)
find_library(terminfo_ARCHIVE NAMES libtinfo.a)  # where Debian keeps the lower half of it
if(terminfo_ARCHIVE)
  target_link_libraries(gpukeeper_dep_curses INTERFACE ${terminfo_ARCHIVE})
endif()
static_dependency(zlib HEADER zlib.h ARCHIVE libz.a PACKAGE zlib1g-dev)

# Only for remote-write (src/push/remote_write), which is left out without them.
find_program(PROTOC protoc)
find_path(protobuf_HEADER google/protobuf/message_lite.h)
find_library(protobuf_LITE NAMES libprotobuf-lite.a)
find_path(snappy_HEADER snappy.h)
find_library(snappy_LIBRARY NAMES libsnappy.a)
if(PROTOC AND protobuf_HEADER AND protobuf_LITE AND snappy_HEADER AND snappy_LIBRARY)
  set(GPUKEEPER_HAS_REMOTE_WRITE ON)
  static_dependency(protobuf HEADER google/protobuf/message_lite.h ARCHIVE libprotobuf-lite.a PACKAGE libprotobuf-dev)
  static_dependency(snappy HEADER snappy.h ARCHIVE libsnappy.a PACKAGE libsnappy-dev)
else()
  message(STATUS "remote-write is left out: protobuf-compiler, libprotobuf-dev and libsnappy-dev are not all there")
endif()

# Boost is used by its headers alone: Asio, and the parser of Beast. Their library parts are compiled in one source file
# of ours, src/service/network_library.cpp.
static_dependency(asio HEADER boost/asio.hpp PACKAGE "libboost1.81-dev (Debian 12) or libboost-dev (Ubuntu 24.04)")
file(STRINGS ${asio_INCLUDE}/boost/version.hpp boost_version REGEX "^#define BOOST_VERSION ")
if(NOT boost_version MATCHES " ([0-9]+)" OR CMAKE_MATCH_1 LESS 108100)
  message(FATAL_ERROR "Boost 1.81 or later is needed; found:${boost_version} in ${asio_INCLUDE}")
endif()
target_compile_definitions(gpukeeper_dep_asio INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
                           BOOST_BEAST_SEPARATE_COMPILATION BOOST_ALL_NO_LIB)

if(GPUKEEPER_TESTS)
  find_package(GTest REQUIRED)
  static_dependency(rapidcheck HEADER rapidcheck.h ARCHIVE librapidcheck.a PACKAGE librapidcheck-dev)
  include(GoogleTest)
endif()

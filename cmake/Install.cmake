# What `cmake --install` puts where: the program, and what other programs link, found by find_package(gpukeeper) and by
# pkg-config: --component library is what they need to run, --component development what they need to be built.
# tests/consumer is such a program.
include(GNUInstallDirs)
# CMake's own guess depends on the prefix at this moment, but packages for /usr are made of every build.
if(CMAKE_LIBRARY_ARCHITECTURE AND EXISTS /etc/debian_version AND CMAKE_INSTALL_LIBDIR STREQUAL "lib")
  set(CMAKE_INSTALL_LIBDIR lib/${CMAKE_LIBRARY_ARCHITECTURE})
  set(CMAKE_INSTALL_FULL_LIBDIR ${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR})
endif()
include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/gpukeeper)

install(TARGETS gpukeeper RUNTIME COMPONENT program)
install(TARGETS gpukeeper_shared EXPORT gpukeeperTargets LIBRARY COMPONENT library NAMELINK_COMPONENT development)
install(FILES ${PROJECT_BINARY_DIR}/libgpukeeper.a DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(TARGETS gpukeeper_include FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
install(EXPORT gpukeeperTargets NAMESPACE gpukeeper:: DESTINATION ${package} COMPONENT development)

configure_package_config_file(cmake/gpukeeperConfig.cmake.in ${PROJECT_BINARY_DIR}/cmake/gpukeeperConfig.cmake
                              INSTALL_DESTINATION ${package}
                              PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cmake/gpukeeperConfigVersion.cmake COMPATIBILITY SameMinorVersion)
file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)  # the prefix, seen from gpukeeper.pc
configure_file(cmake/gpukeeper.pc.in ${PROJECT_BINARY_DIR}/cmake/gpukeeper.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/cmake/gpukeeperConfig.cmake ${PROJECT_BINARY_DIR}/cmake/gpukeeperConfigVersion.cmake
        DESTINATION ${package} COMPONENT development)
install(FILES ${PROJECT_BINARY_DIR}/cmake/gpukeeper.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

# Debian packages: cpack --config build/CPackConfig.cmake makes gpukeeper, libgpukeeper0, libgpukeeper-dev,
# python3-gpukeeper and, where gRPC is there, gpukeeper-pod-resources (docs/install.md). What only a package brings is left out
# of `cmake --install`: it goes to /etc, and to places that systemd and shells look at.
set(deploy ${PROJECT_SOURCE_DIR}/deploy)
set(share ${PROJECT_BINARY_DIR}/share)

add_custom_command(
  OUTPUT ${share}/made
  COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:gpukeeper> -DTO=${share} -DDEBIAN=${deploy}/debian
          -P ${PROJECT_SOURCE_DIR}/cmake/build_share.cmake
  DEPENDS gpukeeper ${PROJECT_SOURCE_DIR}/cmake/build_share.cmake ${deploy}/debian/changelog
  COMMENT "Writing man pages, completions and the default configuration")
add_custom_target(gpukeeper_share DEPENDS ${share}/made)
# What cpack packs.
add_custom_target(gpukeeper_packed ALL DEPENDS gpukeeper_share gpukeeper gpukeeper_shared ${PROJECT_BINARY_DIR}/libgpukeeper.a)

# install_system(DESTINATION FILE... [RENAME name])
function(install_system destination)
  install(FILES ${ARGN} DESTINATION ${destination} COMPONENT system EXCLUDE_FROM_ALL)
endfunction()
install_system(/etc/gpukeeper ${share}/gpukeeper.yaml)
install_system(lib/systemd/system ${deploy}/systemd/gpukeeper.service ${deploy}/systemd/gpukeeper.socket)
install_system(lib/sysusers.d ${deploy}/systemd/gpukeeper.sysusers RENAME gpukeeper.conf)
install_system(lib/tmpfiles.d ${deploy}/systemd/gpukeeper.tmpfiles RENAME gpukeeper.conf)
install_system(lib/udev/rules.d ${deploy}/systemd/60-gpukeeper.rules)
install_system(share/bash-completion/completions ${share}/gpukeeper.bash RENAME gpukeeper)
install_system(share/zsh/vendor-completions ${share}/_gpukeeper)
install_system(share/fish/vendor_completions.d ${share}/gpukeeper.fish)
install_system(share/doc/gpukeeper/systemd ${deploy}/systemd/README.md ${deploy}/systemd/actuators.conf
               ${deploy}/systemd/attribution.conf ${deploy}/systemd/kmsg.conf)
install(DIRECTORY ${share}/man1 ${share}/man5 DESTINATION share/man COMPONENT system EXCLUDE_FROM_ALL)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/python/gpukeeper ${PROJECT_SOURCE_DIR}/python/gpu_manager
                  ${PROJECT_SOURCE_DIR}/python/api_gpu
        DESTINATION lib/python3/dist-packages COMPONENT python EXCLUDE_FROM_ALL
        FILES_MATCHING PATTERN "*.py" PATTERN "py.typed" PATTERN "__pycache__" EXCLUDE)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME gpukeeper)
set(CPACK_PACKAGE_CONTACT "the authors of gpukeeper <gpukeeper@example.org>" CACHE STRING "Who answers for the packages")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
    WORLD_EXECUTE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY =)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)

# deb_package(GROUP NAME SECTION DEPENDS COMPONENTS... ): a package of these components, with its licence and changelog.
set(CPACK_COMPONENTS_ALL "")
macro(deb_package group name section depends)
  string(TOUPPER ${group} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name})
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section})
  set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS "${depends}")
  install(FILES ${deploy}/debian/copyright ${share}/doc/changelog.gz DESTINATION share/doc/${name}
          COMPONENT doc_${group} EXCLUDE_FROM_ALL)
  if(EXISTS ${deploy}/debian/${name}.lintian-overrides)
    install(FILES ${deploy}/debian/${name}.lintian-overrides DESTINATION share/lintian/overrides RENAME ${name}
            COMPONENT doc_${group} EXCLUDE_FROM_ALL)
  endif()
  foreach(component ${ARGN} doc_${group})
    string(TOUPPER ${component} component_upper)
    set(CPACK_COMPONENT_${component_upper}_GROUP ${group})
    list(APPEND CPACK_COMPONENTS_ALL ${component})
  endforeach()
endmacro()
set(same "(= ${PROJECT_VERSION})")
deb_package(service gpukeeper admin
            "pci.ids, systemd | systemd-standalone-sysusers, systemd | systemd-standalone-tmpfiles"
            program system)
deb_package(runtime libgpukeeper0 libs "" library)
deb_package(headers libgpukeeper-dev libdevel "libgpukeeper0 ${same}" development)
deb_package(python3 python3-gpukeeper python "libgpukeeper0 (>= ${PROJECT_VERSION}), python3:any" python)
if(TARGET gpukeeper-pod-resources)
  deb_package(kubernetes gpukeeper-pod-resources admin "" pod_resources)
  add_dependencies(gpukeeper_packed gpukeeper-pod-resources)
  set(CPACK_DEBIAN_KUBERNETES_DESCRIPTION
      "asks a node of Kubernetes which pods have which GPUs
A program that asks the kubelet of this node, at its socket for monitoring
agents, which containers of which pods were given which GPUs, and prints it as
JSON. gpukeeper takes the names of pods from it.")
endif()
set(CPACK_DEBIAN_SERVICE_PACKAGE_CONTROL_EXTRA
    "${deploy}/debian/conffiles;${deploy}/debian/postinst;${deploy}/debian/prerm;${deploy}/debian/postrm")
# Loaded where alerts are sent or metrics pushed; its package has another name in each release.
set(CPACK_DEBIAN_SERVICE_PACKAGE_RECOMMENDS "libcurl4 | libcurl4t64 | libcurl3-gnutls | libcurl3t64-gnutls")
set(CPACK_DEBIAN_SERVICE_PACKAGE_SUGGESTS "python3-gpukeeper, gpukeeper-pod-resources, prometheus, libpq5")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA "${deploy}/debian/triggers")
set(CPACK_DEBIAN_PYTHON3_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PYTHON3_PACKAGE_SHLIBDEPS OFF)

set(CPACK_COMPONENT_SERVICE_DESCRIPTION
    "watches every GPU, books its memory, keeps it cool
gpukeeper shows what the GPUs of this machine do, whoever made them, and who
uses them; it books their memory, says how fast work may go without heat, and
tells by alerts, metrics and a web page what is wrong and why.
.
This package is the program and its service.")
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION
    "watches and books GPUs out of other programs: shared library
The library behind the C, C++ and Python interfaces of gpukeeper.")
set(CPACK_COMPONENT_HEADERS_DESCRIPTION
    "watches and books GPUs out of other programs: development files
Headers for C and C++, the static library, and the files by which CMake and
pkg-config find them.")
set(CPACK_COMPONENT_PYTHON3_DESCRIPTION
    "watches and books GPUs out of Python programs
The packages gpukeeper, gpu_manager and api_gpu for Python, typed and without
another package: readings, leases of GPU memory, clients of the service.")
foreach(group SERVICE RUNTIME HEADERS PYTHON3)
  set(CPACK_DEBIAN_${group}_DESCRIPTION "${CPACK_COMPONENT_${group}_DESCRIPTION}")
endforeach()
include(CPack)

# The web page: web/ is built by npm and Vite and packed for src/site, in ${GPUKEEPER_SITE}. Everything else of gpukeeper is
# built without npm and without a network: then the page is left out, and the program says so where somebody looks for it.
set(GPUKEEPER_WEB AUTO CACHE STRING
    "The web page: ON (it must be there), OFF, or AUTO (left out where npm is not, or cannot get what it needs)")
set_property(CACHE GPUKEEPER_WEB PROPERTY STRINGS AUTO ON OFF)
set(GPUKEEPER_SITE ${PROJECT_BINARY_DIR}/web)
set(GPUKEEPER_NPM "")
if(GPUKEEPER_WEB)
  find_program(NPM npm)
  if(NPM)
    set(GPUKEEPER_NPM ${NPM})
  elseif(NOT GPUKEEPER_WEB STREQUAL "AUTO")
    message(FATAL_ERROR "GPUKEEPER_WEB is ON, and npm was not found: install it, or configure with -DGPUKEEPER_WEB=AUTO")
  endif()
endif()

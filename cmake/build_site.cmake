# Builds the web page and packs it: cmake -D WEB=AUTO|ON|OFF -D NPM=PROGRAM -D SOURCE=web -D OUT=FOLDER -P build_site.cmake
# In OUT it leaves N.gz, each a file of the page, site_files.inc, which names them for src/site/built_in.cpp, and
# site_files.d, upon which of web/ that depends. With AUTO a page that cannot be had is left out, and said so; a page that
# is wrong stops the build always.
cmake_minimum_required(VERSION 3.25)

# All that the page is made of: who adds a file changes another, which makes use of it.
file(GLOB sources ${SOURCE}/*.json ${SOURCE}/*.html ${SOURCE}/*.ts)
file(GLOB_RECURSE deeper ${SOURCE}/src/*)
list(APPEND sources ${deeper})
list(JOIN sources " " sources)
file(WRITE ${OUT}/site_files.d "${OUT}/site_files.inc: ${sources}\n")

# finish(TEXT): an unchanged file is left alone, and nothing is compiled again.
function(finish text)
  file(WRITE ${OUT}/site_files.inc.new "${text}")
  file(COPY_FILE ${OUT}/site_files.inc.new ${OUT}/site_files.inc ONLY_IF_DIFFERENT)
endfunction()

# leave_out(WHY MORE): WHY is for who asks the program for the page, too. A macro, as it ends the script.
macro(leave_out why more)
  if(WEB AND NOT WEB STREQUAL "AUTO")
    message(FATAL_ERROR "the web page cannot be built: ${why}${more}")
  endif()
  if(WEB)
    message(NOTICE "the web page is left out: ${why}${more}")
  endif()
  finish("GPUKEEPER_SITE_LEFT_OUT(\"${why}\")\n")
  return()
endmacro()

# npm(LOG RESULT ARGUMENTS...): runs it in web/; what it says is in OUT/LOG.
function(npm log result)
  set(ENV{npm_config_update_notifier} false)
  execute_process(COMMAND ${NPM} ${ARGN} WORKING_DIRECTORY ${SOURCE} RESULT_VARIABLE status
                  OUTPUT_FILE ${OUT}/${log} ERROR_FILE ${OUT}/${log})
  set(${result} ${status} PARENT_SCOPE)
endfunction()

if(NOT WEB)
  leave_out("this gpukeeper was configured without it (GPUKEEPER_WEB=OFF)" "")
endif()
if(NOT NPM)
  leave_out("npm was not there when this gpukeeper was built; install it (apt-get install npm), configure and build again" "")
endif()

# What the page is built with, as the lock file has it. Two builds at once (of a sanitizer, say) take turns.
file(MAKE_DIRECTORY ${OUT})
file(LOCK ${SOURCE}/node_modules.lock GUARD PROCESS)
file(SHA256 ${SOURCE}/package-lock.json wanted)
set(installed "")
if(EXISTS ${SOURCE}/node_modules/.installed)
  file(READ ${SOURCE}/node_modules/.installed installed)
endif()
if(NOT installed STREQUAL wanted)
  npm(npm.log failed ci --no-audit --no-fund --fetch-retries=1 --fetch-timeout=30000)
  if(failed)
    file(TOUCH ${OUT}/again)
    leave_out("npm could not install what it is built with (is there a network?); build again to try again"
              "; npm's words are in ${OUT}/npm.log")
  endif()
  file(WRITE ${SOURCE}/node_modules/.installed ${wanted})
endif()

npm(vite.log failed run build -- --outDir ${OUT}/dist --emptyOutDir --logLevel warn)
if(failed)
  file(READ ${OUT}/vite.log words)
  message(FATAL_ERROR "the web page does not build:\n${words}")
endif()

file(GLOB old ${OUT}/*.gz)
if(old)
  file(REMOVE ${old})
endif()
file(GLOB_RECURSE files RELATIVE ${OUT}/dist ${OUT}/dist/*)
list(SORT files)
set(number 0)
set(rows "")
foreach(file IN LISTS files)
  # Without a name and a time: the same sources make the same bytes.
  execute_process(COMMAND gzip -9 -n -c ${OUT}/dist/${file} OUTPUT_FILE ${OUT}/${number}.gz COMMAND_ERROR_IS_FATAL ANY)
  file(SHA256 ${OUT}/dist/${file} hash)
  string(SUBSTRING ${hash} 0 32 hash)
  file(SIZE ${OUT}/dist/${file} size)
  string(APPEND rows "GPUKEEPER_SITE_FILE(${number}, \"/${file}\", \"${hash}\", ${size})\n")
  math(EXPR number "${number} + 1")
endforeach()
finish("${rows}")

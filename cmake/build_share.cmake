# What the program knows to say of itself, as files: man pages, completions, the default configuration.
#   cmake -DPROGRAM=… -DTO=… -P build_share.cmake
function(write file)
  execute_process(COMMAND ${PROGRAM} ${ARGN} OUTPUT_FILE ${TO}/${file} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${TO})
file(MAKE_DIRECTORY ${TO}/man1 ${TO}/man5 ${TO}/doc)
write(gpukeeper.yaml config example)
write(gpukeeper.bash completion bash)
write(_gpukeeper completion zsh)
write(gpukeeper.fish completion fish)
execute_process(COMMAND ${PROGRAM} man OUTPUT_VARIABLE pages OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n" ";" pages "${pages}")
foreach(page IN LISTS pages)
  string(REGEX MATCH "[0-9]$" section ${page})
  write(man${section}/${page} man ${page})
endforeach()
file(COPY ${DEBIAN}/changelog DESTINATION ${TO}/doc)
# As Debian's policy asks; without a name or a time, so that the same files are made of the same source.
file(GLOB compressed ${TO}/man1/* ${TO}/man5/* ${TO}/doc/changelog)
execute_process(COMMAND gzip -9n ${compressed} COMMAND_ERROR_IS_FATAL ANY)
file(TOUCH ${TO}/made)

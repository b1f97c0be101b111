# SPDX-License-Identifier: Apache-2.0
# A fuzz target names the floor that it tests in a line of its own: "// floor: http".
function(sluice_fuzz_floor source result)
  file(STRINGS ${source} line REGEX "^// floor: [a-z]+$" LIMIT_COUNT 1)
  if(NOT line)
    message(FATAL_ERROR "${source}: needs a line such as \"// floor: http\"")
  endif()
  string(REPLACE "// floor: " "sluice_" library "${line}")
  set(${result} ${library} PARENT_SCOPE)
endfunction()

# SPDX-License-Identifier: Apache-2.0
# Every fuzz target as an ordinary program that replays its corpus: what fuzzing once found stays
# found, with any compiler.
include(${CMAKE_CURRENT_LIST_DIR}/floors.cmake)

file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*_fuzz.cpp)
foreach(source ${sources})
  get_filename_component(name ${source} NAME_WE)
  string(REGEX REPLACE "_fuzz$" "" corpus ${name})
  sluice_fuzz_floor(${source} library)
  add_executable(replay_${corpus} ${source} ${CMAKE_CURRENT_LIST_DIR}/replay_main.cpp)
  target_include_directories(replay_${corpus} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(replay_${corpus} PRIVATE ${library})
  add_test(NAME fuzz_${corpus} COMMAND replay_${corpus} ${CMAKE_CURRENT_LIST_DIR}/corpus/${corpus})
  set_tests_properties(fuzz_${corpus} PROPERTIES LABELS fuzz TIMEOUT 120)
endforeach()

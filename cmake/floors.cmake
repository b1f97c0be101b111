# SPDX-License-Identifier: Apache-2.0
# One static library per folder of src/, each linked to the floors below it only:
#   app > admin > filters integrations > gateway > upstream > state > http > telemetry
#       > config > net > base
function(sluice_floor name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(NOT sources)
    add_library(sluice_${name} INTERFACE)
    target_link_libraries(sluice_${name} INTERFACE sluice_options ${ARGN})
    return()
  endif()
  add_library(sluice_${name} STATIC ${sources})
  target_link_libraries(sluice_${name} PUBLIC sluice_options ${ARGN})
endfunction()

sluice_floor(base OpenSSL::Crypto)
sluice_floor(net sluice_base sluice_asio)
sluice_floor(config sluice_base yaml-cpp nlohmann_json::nlohmann_json)
sluice_floor(telemetry sluice_config sluice_net sluice_otlp spdlog::spdlog)
sluice_floor(http sluice_telemetry sluice_net sluice_asio)
sluice_floor(state sluice_http SQLite::SQLite3 ${HIREDIS_LIBRARY})
target_include_directories(sluice_state PRIVATE ${HIREDIS_INCLUDE_DIR})
sluice_floor(upstream sluice_state)
sluice_floor(gateway sluice_upstream)
sluice_floor(filters sluice_gateway)
sluice_floor(integrations sluice_gateway)
sluice_floor(admin sluice_filters sluice_integrations sluice_asio)
sluice_floor(app sluice_admin CLI11::CLI11 Boost::url)

# The status page travels in the program.
file(GLOB page_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/admin/page/*)
set(page_source ${CMAKE_BINARY_DIR}/generated/admin_page.cpp)
add_custom_command(
  OUTPUT ${page_source}
  COMMAND ${CMAKE_COMMAND} -DFOLDER=${CMAKE_SOURCE_DIR}/src/admin/page -DOUT=${page_source}
          -P ${CMAKE_SOURCE_DIR}/cmake/embed_page.cmake
  DEPENDS ${page_files} ${CMAKE_SOURCE_DIR}/cmake/embed_page.cmake
  COMMENT "Embedding the status page")
target_sources(sluice_admin PRIVATE ${page_source})

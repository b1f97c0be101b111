# SPDX-License-Identifier: Apache-2.0
# Every library comes from the distribution; `make deps` installs them.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS url)
find_package(OpenSSL 3 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(CLI11 2 REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(Protobuf 3.21 REQUIRED)
# Only its reader and formatter: hiredis ships no CMake package in Debian 12.
find_path(HIREDIS_INCLUDE_DIR hiredis/hiredis.h REQUIRED)
find_library(HIREDIS_LIBRARY hiredis REQUIRED)

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(sluice_options INTERFACE)
target_include_directories(sluice_options INTERFACE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
target_compile_options(sluice_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                       $<$<BOOL:${SLUICE_WERROR}>:-Werror>)
target_compile_definitions(sluice_options INTERFACE
  SLUICE_VERSION="${PROJECT_VERSION}"
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE)
target_link_libraries(sluice_options INTERFACE Threads::Threads)

# Asio's and Beast's bodies, compiled once.
add_library(sluice_asio STATIC cmake/asio.cpp)
target_link_libraries(sluice_asio PUBLIC sluice_options OpenSSL::SSL OpenSSL::Crypto)
target_compile_options(sluice_asio PRIVATE -w)

# OTLP's messages: proto/, compiled by protoc. Its output is not ours to warn about.
set(otlp_out ${CMAKE_BINARY_DIR}/proto)
file(MAKE_DIRECTORY ${otlp_out})
foreach(proto common/v1/common resource/v1/resource trace/v1/trace collector/trace/v1/trace_service)
  set(path opentelemetry/proto/${proto})
  add_custom_command(
    OUTPUT ${otlp_out}/${path}.pb.cc ${otlp_out}/${path}.pb.h
    COMMAND protobuf::protoc --proto_path=${CMAKE_SOURCE_DIR}/proto --cpp_out=${otlp_out}
            ${path}.proto
    DEPENDS ${CMAKE_SOURCE_DIR}/proto/${path}.proto)
  list(APPEND otlp_sources ${otlp_out}/${path}.pb.cc)
endforeach()
add_library(sluice_otlp STATIC ${otlp_sources})
target_include_directories(sluice_otlp SYSTEM PUBLIC ${otlp_out})
target_compile_options(sluice_otlp PRIVATE -w)
target_link_libraries(sluice_otlp PUBLIC protobuf::libprotobuf-lite)

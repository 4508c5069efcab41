# Every third-party library, in one place. docs/decisions/ says why each was chosen.
find_package(Threads REQUIRED)
find_package(Boost 1.83 REQUIRED COMPONENTS json url)
find_package(OpenSSL 3.0 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(CURL REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(prometheus REQUIRED IMPORTED_TARGET prometheus-cpp-core)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
find_package(tomlplusplus REQUIRED)
if(CLOUDDOCS_TESTS)
  find_package(GTest REQUIRED)
  find_package(benchmark REQUIRED)
endif()

# Flags and the Boost set-up that every library of the project shares.
add_library(clouddocs_options INTERFACE)
target_include_directories(clouddocs_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(clouddocs_options INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE SPDLOG_FMT_EXTERNAL
  CLOUDDOCS_VERSION="${PROJECT_VERSION}")
target_compile_options(clouddocs_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror
  $<$<CONFIG:Release>:-march=x86-64-v2>)
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set_property(TARGET clouddocs_options PROPERTY INTERFACE_COMPILE_OPTIONS -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror)
endif()
if(CLOUDDOCS_FUZZ)
  # Without it the fuzzers do not see which code an input reached.
  target_compile_options(clouddocs_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(CLOUDDOCS_SANITIZE)
  target_compile_options(clouddocs_options INTERFACE -fsanitize=${CLOUDDOCS_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(clouddocs_options INTERFACE -fsanitize=${CLOUDDOCS_SANITIZE})
endif()
target_link_libraries(clouddocs_options INTERFACE Threads::Threads Boost::headers)
find_program(LLD ld.lld-19)
if(LLD)
  target_link_options(clouddocs_options INTERFACE -fuse-ld=lld-19)
endif()

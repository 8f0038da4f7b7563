# Warnings, sanitizers and the compiler cache; everything of ours links lmzoo_options.
set(LMZOO_SANITIZE "" CACHE STRING "Sanitizers to build with: address,undefined (leaks too) or thread")
option(LMZOO_FUZZ "Build the libFuzzer targets of tests/fuzz instead of the program (clang, with LMZOO_SANITIZE)" OFF)
option(LMZOO_TCMALLOC "Link tcmalloc (never together with sanitizers)" ON)

add_library(lmzoo_options INTERFACE)
target_compile_features(lmzoo_options INTERFACE cxx_std_20)
# -fPIC by hand, for programs too: CMake would give those -fPIE, and the precompiled header could not be shared.
target_compile_options(lmzoo_options INTERFACE -fPIC -Wall -Wextra -Wshadow -Werror
  # g++ 12 warns of string concatenation in the standard library itself (GCC bug 105651).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
  $<$<CXX_COMPILER_ID:Clang>:-Wno-unknown-warning-option>)
target_include_directories(lmzoo_options INTERFACE ${PROJECT_SOURCE_DIR})
# LibTorch's folder of headers holds those of another libfmt, and would be searched before the system's: ours come first.
find_package(fmt REQUIRED)
get_target_property(fmt_include fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include)
file(CREATE_LINK ${fmt_include}/fmt ${PROJECT_BINARY_DIR}/include/fmt SYMBOLIC)
target_include_directories(lmzoo_options INTERFACE ${PROJECT_BINARY_DIR}/include)
if(LMZOO_SANITIZE)
  # Instrumented code makes g++ warn of paths that cannot be taken; the other presets keep -Werror.
  target_compile_options(lmzoo_options INTERFACE -Wno-error -fsanitize=${LMZOO_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(lmzoo_options INTERFACE -fsanitize=${LMZOO_SANITIZE})
endif()
if(LMZOO_FUZZ)
  target_compile_options(lmzoo_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The sloppiness lets it cache units that use a precompiled header; depend mode spares it a preprocessor run.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_DEPEND=1 CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
    CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()

# Finds LibTorch and makes the imported targets torch_cpu and c10 (interface name: LibTorch::cpu).
#
# TorchConfig.cmake is not used: it wants a CUDA toolkit when the wheel is a CUDA build. Looked at in this order:
#   1. LIBTORCH (environment or -D), a folder with include/ and lib/
#   2. every folder of CMAKE_PREFIX_PATH
#   3. a torch that python3 can import
#   4. the project's own .venv (tools/setup.sh makes it)
set(LMZOO_TORCH_OLDEST 2.11)

function(lmzoo_torch_of_python python result)
  set(${result} "" PARENT_SCOPE)
  if(python)
    # find_spec does not import torch, which would take two seconds.
    execute_process(
      COMMAND ${python} -c "import importlib.util as u; s=u.find_spec('torch'); print(s.submodule_search_locations[0])"
      OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
    if(status EQUAL 0)
      set(${result} "${folder}" PARENT_SCOPE)
    endif()
  endif()
endfunction()

function(lmzoo_find_torch result)
  set(candidates ${LIBTORCH} $ENV{LIBTORCH})
  set(named ${candidates})
  foreach(prefix IN LISTS CMAKE_PREFIX_PATH)
    list(APPEND candidates ${prefix} ${prefix}/torch)
  endforeach()
  find_program(LMZOO_PYTHON3 python3)
  lmzoo_torch_of_python("${LMZOO_PYTHON3}" imported)
  list(APPEND candidates ${imported})
  if(EXISTS ${PROJECT_SOURCE_DIR}/.venv/bin/python)
    lmzoo_torch_of_python(${PROJECT_SOURCE_DIR}/.venv/bin/python own)
    list(APPEND candidates ${own})
  endif()
  foreach(folder IN LISTS candidates)
    if(EXISTS ${folder}/lib/libtorch_cpu.so AND EXISTS ${folder}/include/torch/csrc/api/include/torch/torch.h)
      set(${result} ${folder} PARENT_SCOPE)
      return()
    endif()
    if(folder IN_LIST named)
      message(FATAL_ERROR "LIBTORCH=${folder} is not a LibTorch folder: it must hold lib/libtorch_cpu.so and include/torch")
    endif()
  endforeach()
  message(FATAL_ERROR "No LibTorch found. Run `make setup`, or set LIBTORCH=/path/to/libtorch (>= ${LMZOO_TORCH_OLDEST}).")
endfunction()

function(lmzoo_torch_version folder result)
  file(STRINGS ${folder}/include/torch/headeronly/version.h lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
  string(REGEX REPLACE "[^0-9;]" "" numbers "${lines}")
  list(JOIN numbers "." version)
  set(${result} ${version} PARENT_SCOPE)
endfunction()

lmzoo_find_torch(LMZOO_TORCH)
lmzoo_torch_version(${LMZOO_TORCH} LMZOO_TORCH_VERSION)
if(LMZOO_TORCH_VERSION VERSION_LESS LMZOO_TORCH_OLDEST)
  message(FATAL_ERROR "torch ${LMZOO_TORCH_VERSION} in ${LMZOO_TORCH} is too old: lmzoo needs ${LMZOO_TORCH_OLDEST} or later")
endif()
message(STATUS "LibTorch ${LMZOO_TORCH_VERSION} in ${LMZOO_TORCH}")

add_library(LibTorch::c10 SHARED IMPORTED)
set_target_properties(LibTorch::c10 PROPERTIES IMPORTED_LOCATION ${LMZOO_TORCH}/lib/libc10.so)
add_library(LibTorch::cpu SHARED IMPORTED)
set_target_properties(LibTorch::cpu PROPERTIES IMPORTED_LOCATION ${LMZOO_TORCH}/lib/libtorch_cpu.so)
target_link_libraries(LibTorch::cpu INTERFACE LibTorch::c10)
target_include_directories(LibTorch::cpu SYSTEM INTERFACE
  ${LMZOO_TORCH}/include ${LMZOO_TORCH}/include/torch/csrc/api/include)
# Headers of ATen then include the operators that they use, not all three thousand.
target_compile_definitions(LibTorch::cpu INTERFACE AT_PER_OPERATOR_HEADERS)
# at::parallel_for is a template of ATen's headers that is serial without OpenMP. The runtime is LibTorch's own: both are
# libgomp.so.1, so that a process has one pool of threads.
target_compile_options(LibTorch::cpu INTERFACE -fopenmp)
target_link_options(LibTorch::cpu INTERFACE -fopenmp)

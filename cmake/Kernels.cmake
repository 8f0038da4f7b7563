# Sources named *_generic.cpp / *_avx2.cpp / *_avx512.cpp are kernels: compiled for that instruction set only, without
# LibTorch; callers ask the CPU at run time (core/isa.h) which one they enter. Other processors have the generic one.
set(lmzoo_flags_generic -O3 -ffp-contract=fast)
set(lmzoo_flags_avx2 ${lmzoo_flags_generic} -mavx2 -mfma -mf16c)
set(lmzoo_flags_avx512 ${lmzoo_flags_generic} -mfma -mf16c -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512bf16
    -mprefer-vector-width=512
    # g++ 12's own AVX-512 headers use undefined vectors on purpose (GCC bug 105593).
    $<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized> $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
set(lmzoo_isas generic avx2 avx512)

get_target_property(sources lmzoo_nn SOURCES)
foreach(isa IN LISTS lmzoo_isas)
  set(kernels ${sources})
  list(FILTER kernels INCLUDE REGEX "_${isa}\\.cpp$")
  if(isa STREQUAL "generic" OR CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    # -Wno-psabi: GCC notes that vector arguments are passed differently with other flags; all of them are inlined.
    set_source_files_properties(${kernels} PROPERTIES
      COMPILE_OPTIONS "${lmzoo_flags_${isa}};-Wno-psabi" SKIP_PRECOMPILE_HEADERS ON)
  else()
    set_source_files_properties(${kernels} PROPERTIES HEADER_FILE_ONLY ON)
  endif()
endforeach()

# Sources named *_avx2.cpp / *_avx512.cpp below models/kernels are compiled for that instruction set only; the caller
# asks the CPU at run time before it enters them.
get_target_property(lmzoo_model_sources lmzoo_models SOURCES)
foreach(source IN LISTS lmzoo_model_sources)
  if(source MATCHES "_avx2\\.cpp$")
    set_source_files_properties(${source} PROPERTIES
      COMPILE_OPTIONS "-mavx2;-mfma;-mf16c;-O3;-ffp-contract=fast;-DCPU_CAPABILITY=AVX2;-DCPU_CAPABILITY_AVX2"
      SKIP_PRECOMPILE_HEADERS ON)
  elseif(source MATCHES "_avx512\\.cpp$")
    set_source_files_properties(${source} PROPERTIES
      COMPILE_OPTIONS "-mavx512f;-mavx512bw;-mavx512vl;-mavx512dq;-mavx512bf16;-mfma;-mf16c;-O3;-ffp-contract=fast;-mprefer-vector-width=512;-DCPU_CAPABILITY=AVX512;-DCPU_CAPABILITY_AVX512"
      SKIP_PRECOMPILE_HEADERS ON)
  endif()
endforeach()

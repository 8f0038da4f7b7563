/* The tuned peer's oneMKL takes its AVX-512 path on any CPU: preloaded, this wins over the library's own function. */
int mkl_serv_intel_cpu_true(void) { return 1; }

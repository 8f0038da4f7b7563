#include "fuzz/target.h"
#include "io/zip.h"

void lmzoo::fuzz::read_input(const Input& input) {
  for (const ZipEntry& entry : read_zip(std::as_bytes(std::span(input.bytes)), "input.zip")) {
    touch(entry.bytes.data(), entry.bytes.size());
    check_crc(entry, "input.zip");
  }
}

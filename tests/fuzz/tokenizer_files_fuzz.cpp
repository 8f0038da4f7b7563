// The files of older tokenizers. The first byte tells which: 'w' vocab.txt, 's' spiece.model, and all else
// vocab.json, which ends where a line "#version" begins, with merges.txt behind it.
#include "fuzz/folder.h"
#include "fuzz/tokenizer_text.h"
#include "tokenizer/published/read/legacy.h"

void lmzoo::fuzz::read_input(const Input& input) {
  if (input.bytes.empty()) {
    return;
  }
  static const Folder folder;
  folder.clear();
  const char kind = input.bytes[0];
  const std::string_view bytes = input.bytes.substr(1);
  if (kind == 'w' || kind == 's') {
    folder.hold(kind == 'w' ? "vocab.txt" : "spiece.model", bytes);
  } else {
    const size_t end = std::min(bytes.find("#version"), bytes.size());
    folder.hold("vocab.json", bytes.substr(0, end));
    folder.hold("merges.txt", bytes.substr(end));
  }
  const huggingface::FolderHints hints(folder.path());
  const auto pipeline = huggingface::read_pipeline(huggingface::from_legacy_files(hints), "tokenizer.json");
  try_texts(*pipeline, bytes.substr(0, 256));
}

// The files of older tokenizers. The first byte tells which: 'w' vocab.txt, 's' spiece.model, 'c' what stands beside a
// small vocab.txt (one text for all three), and all else vocab.json, which ends where a line "#version" begins, with
// merges.txt behind it.
#include "fuzz/folder.h"
#include "fuzz/tokenizer_text.h"
#include "tokenizer/published/read/folder.h"

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
  } else if (kind == 'c') {
    folder.hold("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n");
    for (const char* name : {"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"}) {
      folder.hold(name, bytes);
    }
  } else {
    const size_t end = std::min(bytes.find("#version"), bytes.size());
    folder.hold("vocab.json", bytes.substr(0, end));
    folder.hold("merges.txt", bytes.substr(end));
  }
  const huggingface::FolderHints hints(folder.path());
  const auto pipeline =
      huggingface::read_pipeline(huggingface::read_folder(hints).tokenizer, "tokenizer.json");
  try_texts(*pipeline, bytes.substr(0, 256));
}

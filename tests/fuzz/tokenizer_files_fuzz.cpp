<<<<<<< HEAD
// The files of older tokenizers. The first byte tells which: 'w' vocab.txt, 's' spiece.model, and all else
// vocab.json, which ends where a line "#version" begins, with merges.txt behind it.
#include "fuzz/folder.h"
=======
// The files of older tokenizers. The first byte tells which: 'w' vocab.txt, 's' spiece.model, 'c' what stands beside a
// small vocab.txt (one text for all three), and all else vocab.json, which ends where a line "#version" begins, with
// merges.txt behind it.
#include <filesystem>
#include <fstream>

#include <unistd.h>

>>>>>>> 5c0eb2f2a02a3d9a123c47ff519235f0e32b665d
#include "fuzz/tokenizer_text.h"
#include "tokenizer/published/read/folder.h"

<<<<<<< HEAD
void lmzoo::fuzz::read_input(const Input& input) {
=======
namespace lmzoo::fuzz {
namespace {

constexpr const char* kBeside[] = {"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"};

class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("lmzoo-fuzz-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }

  std::string path() const { return path_.string(); }
  void hold(const char* name, std::string_view bytes) const {
    std::ofstream(path_ / name, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  void clear() const {
    for (const char* name : {"vocab.txt", "vocab.json", "merges.txt", "spiece.model"}) {
      std::filesystem::remove(path_ / name);
    }
    for (const char* name : kBeside) {
      std::filesystem::remove(path_ / name);
    }
  }

 private:
  std::filesystem::path path_;
};

}  // namespace

void read_input(const Input& input) {
>>>>>>> 5c0eb2f2a02a3d9a123c47ff519235f0e32b665d
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
    for (const char* name : kBeside) {
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

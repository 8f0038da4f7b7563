// A token store. Its checksums are put right first, unless the first byte is '=': else no altered table would get
// behind them.
#include <algorithm>
#include <cstring>
#include <vector>

#include "data/store/token_store.h"
#include "data/store/token_store_format.h"
#include "fuzz/folder.h"
#include "fuzz/target.h"

namespace lmzoo::fuzz {
namespace {

using namespace token_store_format;

// As far as the sections of sums and the trailer are where they must be.
void mend_sums(std::string& bytes) {
  if (bytes.size() < sizeof(Header) + sizeof(Trailer)) {
    return;
  }
  Header header;
  Trailer trailer;
  std::memcpy(&header, bytes.data(), sizeof header);
  const size_t end = bytes.size() - sizeof trailer;
  std::memcpy(&trailer, bytes.data() + end, sizeof trailer);
  const auto all = std::as_bytes(std::span(bytes));
  if (trailer.sum_bytes > end - sizeof header) {
    return;
  }
  const size_t summed = end - trailer.sum_bytes;
  for (size_t block = 0; (block + 1) * sizeof(uint32_t) <= trailer.sum_bytes && block * kBlock < summed;
       ++block) {
    const uint32_t sum = crc32(all.subspan(block * kBlock, std::min(kBlock, summed - block * kBlock)));
    std::memcpy(bytes.data() + summed + block * sizeof sum, &sum, sizeof sum);
  }
  const uint64_t tail = trailer.class_bytes + trailer.sum_bytes;
  if (tail < trailer.sum_bytes || tail > end - sizeof header) {
    return;
  }
  trailer.ends_crc = crc_of_ends(header, all.subspan(end - tail, tail), trailer);
  std::memcpy(bytes.data() + end, &trailer, sizeof trailer);
}

void touch_all(const Sample& sample) {
  const auto touch_ids = [](const std::vector<int64_t>& ids) {
    touch(ids.data(), ids.size() * sizeof ids[0]);
  };
  for (const auto* ids : {&sample.ids,
                          &sample.target,
                          &sample.label_set,
                          &sample.word_starts,
                          &sample.tags,
                          &sample.sentence_starts}) {
    touch_ids(*ids);
  }
  std::ranges::for_each(sample.further_texts, touch_ids);
  std::ranges::for_each(sample.choices, touch_ids);
  if (sample.passage != nullptr) {
    touch(sample.passage->text.data(), sample.passage->text.size());
  }
}

// What `read` finds damaged does not keep the others from being read.
template <class Read>
void trying(const Read& read) {
  try {
    read();
  } catch (const InputError& refusal) {
    show(refusal);
  }
}

}  // namespace

void read_input(const Input& input) {
  static const Folder folder;
  if (input.bytes.empty()) {
    return;
  }
  std::string bytes(input.bytes.substr(1));
  if (input.bytes[0] != '=') {
    mend_sums(bytes);
  }
  folder.hold("ids", bytes);
  const TokenStore store(folder / "ids");
  for (const std::string& name : store.classes()) {
    touch(name.data(), name.size());
  }
  trying([&] { store.verify(); });
  const int64_t most = std::min<int64_t>(store.documents(), 500);
  for (int64_t i = -1; i <= most; ++i) {
    trying([&] { touch_all(store.sample(i)); });
    trying([&] { store.document(i); });
    trying([&] { store.label(i); });
    trying([&] { store.text_bytes(i); });
  }
  for (const int64_t at : {int64_t{0}, store.tokens() / 2, store.tokens() - 1}) {
    trying([&] { store.document_at(at); });
    std::vector<int64_t> ids;
    trying([&] { store.append(at, std::min<int64_t>(store.tokens(), 1000), ids); });
  }
}

}  // namespace lmzoo::fuzz

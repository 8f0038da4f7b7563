// Texts and their columns out of files. The first byte chooses what the options name, the second the format.
#include <vector>

#include "fuzz/folder.h"
#include "fuzz/target.h"
#include "text/source.h"

namespace lmzoo::fuzz {
namespace {

// By jsonl fields, or tsv columns with a header.
TextOptions columns_of(char kind) {
  switch (kind) {
    case 'c':
      return {.text = "text", .label = "label"};
    case 's':
      return {.text = {"a", "b"}, .prefix = {"x: "}, .labels = "labels"};
    case 't':
      return {.text = "words", .tags = "tags"};
    case 'n':
      return {.text = "text", .value = "value"};
    case 'm':
      return {.text = "text", .label = "label", .choices = {"choices"}};
    case 'o':
      return {.text = "text", .label = "label", .choices = {"a", "b"}};
    case 'q':
      return {
          .text = {"question", "context"}, .answer = "answers.text", .answer_start = "answers.answer_start"};
    case 'f':
      return {.text = {"question", "context"}, .answer = "answers"};
    case 'w':
      return {.text = "text", .target = "target"};
    default:
      return {};
  }
}

TextFormat format_of(char kind) {
  switch (kind) {
    case 't':
      return TextFormat::tsv;
    case 'l':
      return TextFormat::lines;
    case 'p':
      return TextFormat::paragraphs;
    default:
      return TextFormat::jsonl;
  }
}

}  // namespace

void read_input(const Input& input) {
  if (input.bytes.size() < 2 || input.bytes.substr(2).starts_with("\x1F\x8B")) {
    return;  // what gzip unpacks to is the business of the target `lines`
  }
  static const Folder folder;
  folder.hold("text", input.bytes.substr(2));
  TextOptions options = columns_of(input.bytes[0]);
  options.files = {folder / "text"};
  options.format = format_of(input.bytes[1]);
  options.header = options.format == TextFormat::tsv && !options.text.empty();
  options.max_record_bytes = 1 << 20;
  for_each_record(options, [&](const TextRecord& record) {
    touch(record.text.data(), record.text.size());
    if (record.columns != nullptr) {
      for (const ByteSpan& span : record.columns->answers) {
        touch(record.columns->texts.back().data() + span.begin, static_cast<size_t>(span.end - span.begin));
      }
    }
    return true;
  });
  if (has_classes(options)) {
    class_names(options);
  }
}

}  // namespace lmzoo::fuzz

// What a published folder says of its model: config.json, or, behind a first byte 'a', adapter_config.json of PEFT.
#include "fuzz/folder.h"
#include "fuzz/target.h"
#include "train/exchange/huggingface/config.h"
#include "train/exchange/huggingface/peft_config.h"

void lmzoo::fuzz::read_input(const Input& input) {
  if (input.bytes.empty()) {
    return;
  }
  static const Folder folder;
  const std::string_view bytes = input.bytes.substr(1);
  if (input.bytes[0] == 'a') {
    folder.hold("adapter_config.json", bytes);
    read_peft_config(folder / "adapter_config.json");
    return;
  }
  folder.hold("config.json", bytes);
  is_huggingface_folder(folder.path());
  const ModelFromFolder model = read_huggingface_config(folder.path());
  for (const std::string& label : model.task.labels) {
    touch(label.data(), label.size());
  }
  const std::string options = to_yaml(model.options);
  touch(options.data(), options.size());
}

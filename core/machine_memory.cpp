#include "core/machine_memory.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>

#include <sys/resource.h>
#include <sys/sysinfo.h>

namespace lmzoo {
namespace {

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

// "max" and files that are not there are no limit.
uint64_t limit_in(const std::filesystem::path& file) {
  std::ifstream in(file);
  uint64_t bytes = 0;
  return in >> bytes ? bytes : kNoLimit;
}

// A group is bound by those around it, too.
uint64_t least_limit(const std::filesystem::path& root, const std::string& group, const char* file) {
  uint64_t least = limit_in(root / file);
  std::filesystem::path folder = root;
  for (const std::filesystem::path& part : std::filesystem::path(group).relative_path()) {
    folder /= part;
    least = std::min(least, limit_in(folder / file));
  }
  return least;
}

uint64_t machine_bytes() {
  struct sysinfo info {};
  if (::sysinfo(&info) != 0) {
    return kNoLimit;
  }
  return (static_cast<uint64_t>(info.totalram) + info.totalswap) * info.mem_unit;
}

uint64_t address_limit() {
  rlimit bound{};
  return ::getrlimit(RLIMIT_AS, &bound) == 0 && bound.rlim_cur != RLIM_INFINITY ? bound.rlim_cur : kNoLimit;
}

}  // namespace

uint64_t control_group_limit(const std::string& membership, const std::string& root) {
  uint64_t least = kNoLimit;
  std::istringstream lines(membership);
  for (std::string line; std::getline(lines, line);) {  // ID:CONTROLLERS:GROUP; version 2 has no controllers
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) {
      continue;
    }
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string group = line.substr(second + 1);
    if (controllers == ",,") {
      least = std::min(least, least_limit(root, group, "memory.max"));
    } else if (controllers.find(",memory,") != std::string::npos) {
      least = std::min(least, least_limit(root + "/memory", group, "memory.limit_in_bytes"));
    }
  }
  return least;
}

uint64_t usable_memory() {
  std::ifstream in("/proc/self/cgroup");
  const std::string membership((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return std::min({machine_bytes(), address_limit(), control_group_limit(membership, "/sys/fs/cgroup")});
}

}  // namespace lmzoo

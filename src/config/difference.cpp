#include "config/difference.hpp"

#include <fmt/format.h>

namespace gpukeeper::config {

std::vector<Difference> differences(const Settings& from, const Settings& to) {
  std::vector<Difference> result;
  for (const Key& key : key_table()) {
    if (key.show(from) != key.show(to)) result.push_back({&key, key.published(from), key.published(to)});
  }
  return result;
}

std::string to_string(const Difference& difference) {
  const Key& key = *difference.key;
  return fmt::format("{}: {} to {}{}{}{}", key.name, difference.from, difference.to, key.unit.empty() ? "" : " ",
                     key.unit, key.change == Change::restart ? ", with a restart" : "");
}

}  // namespace gpukeeper::config

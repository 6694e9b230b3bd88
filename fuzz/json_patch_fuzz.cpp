// A JSON Merge Patch of any bytes, as PATCH and PUT /api/v1/config get it, is refused in words that are harmless, or it
// names keys of the table; what is then taken as a configuration is shown in a form that is taken as the same.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "config/json_patch.hpp"
#include "core/display_text.hpp"
#include "core/text.hpp"

namespace {

using namespace gpukeeper;
using namespace gpukeeper::config;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void check_error(const Error& error) {
  require(error.code == Errc::invalid_argument, "a refused patch is an invalid argument");
  for (const auto line : lines(error.message)) require(harmless(line) == line, "a message is harmless");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto patch = assignments_of_json(text);
  if (!patch) {
    check_error(patch.error());
    return 0;
  }
  std::vector<Assignment> requests;
  for (const Assignment& each : *patch) {
    require(find_key(each.key) != nullptr, "a key is one of the table's");
    if (each.value.kind != yaml::YamlNode::Kind::null) requests.push_back(each);
  }
  const auto taken = effective({.requests = requests});
  if (!taken) {
    check_error(taken.error());
    return 0;
  }
  const auto again = effective({.requests = requests});
  require(again.has_value() && again->settings == taken->settings, "the same patch says the same");
  return 0;
}

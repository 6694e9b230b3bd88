#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "top/preferences.hpp"

// A file of preferences holds anything. Whatever is read of it, written again, is read as the same, without a
// complaint.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpukeeper::top;
  std::vector<std::string> troubles;
  const Preferences preferences = read_preferences({reinterpret_cast<const char*>(data), size}, troubles);
  if (troubles.size() > 10) std::abort();
  troubles.clear();
  if (read_preferences(write_preferences(preferences), troubles) != preferences || !troubles.empty()) std::abort();
  return 0;
}

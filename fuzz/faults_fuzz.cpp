// A daemon's faults, whoever says that they are some: what is read is written and read again as it was.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "format/faults_reader.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpukeeper;
  const auto view = parse_faults({reinterpret_cast<const char*>(data), size});
  if (!view) return 0;
  const Snapshot nothing;
  const std::string written = faults_json(*view, nothing, false);
  const auto again = parse_faults(written);
  require(again && faults_json(*again, nothing, false) == written);
  return 0;
}

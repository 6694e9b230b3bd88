// A daemon's stream of events, whatever it sends: how it is cut into pieces makes no difference, no event is larger
// than was said, and what they hold is a snapshot or an error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "client/event_reader.hpp"
#include "format/snapshot_reader.hpp"

namespace {

constexpr std::size_t kMost = 4096;

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpukeeper;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  client::EventReader whole(kMost);
  const auto at_once = whole.take(text);
  client::EventReader cut(kMost);
  std::vector<client::StreamEvent> in_pieces;
  bool well = true;
  for (std::size_t i = 0; i < size && well; i += 3) {
    const auto some = cut.take(text.substr(i, 3));
    well = some.has_value();
    if (well) in_pieces.insert(in_pieces.end(), some->begin(), some->end());
  }
  require(well == at_once.has_value());
  if (!at_once) return 0;
  require(in_pieces == *at_once);
  for (const auto& event : in_pieces) {
    require(event.data.size() <= kMost);
    static_cast<void>(parse_snapshot_event(event.data));
  }
  return 0;
}

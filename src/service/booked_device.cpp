#include "service/booked_device.hpp"

#include <vector>

#include "format/columns.hpp"

namespace gpukeeper::service {

Result<std::string> booked_device(const Bookkeeper& book, const Snapshot& snapshot, const std::string& selector) {
  bool is_known = false;
  book.look([&](const Ledger& ledger) { is_known = ledger.device(selector) != nullptr; });
  if (is_known) return selector;
  const auto chosen = select_devices(snapshot, std::vector{selector});
  if (!chosen) return tl::make_unexpected(chosen.error());
  return chosen->devices.front().device->id.text;
}

}  // namespace gpukeeper::service

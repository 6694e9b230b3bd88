// What is taken for a request has every value within its bounds, and the ledger takes or refuses it without harm.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "format/lease_request_json.hpp"
#include "ledger/ledger.hpp"

namespace {

using namespace gpukeeper;

void check_wish(const LeaseWish& wish) {
  const LeaseRequest& r = wish.request;
  if (r.min.value() > kMostLeaseBytes || (r.max && r.max->value() > kMostLeaseBytes)) std::abort();
  if (r.devices < 1 || r.devices > kMostLeaseDevices) std::abort();
  if (r.priority && (*r.priority < -kMostPriority || *r.priority > kMostPriority)) std::abort();
  if ((r.wait && r.wait->count() <= 0) || (r.lifetime && r.lifetime->count() <= 0)) std::abort();
  if (wish.ttl.has_value() != (wish.owner == LeaseWish::Owner::heartbeat)) std::abort();
}

// One GPU of 80 GiB; what is granted on it is never more than it has.
void book(const LeaseRequest& request) {
  Ledger ledger;
  Reality reality;
  DeviceReality& device = reality.devices.emplace_back();
  device.id = "GPU-0";
  device.total = 80_GiB;
  device.used = Bytes(0);
  device.processes.emplace();
  const Moment at{MonotonicTime(std::chrono::hours(1)), WallTime(std::chrono::hours(1))};
  ledger.observe(reality, at);
  const auto booking = ledger.reserve(request, at);
  if (!booking && booking.error().text().empty()) std::abort();
  if (ledger.devices().front().booked() > 80_GiB) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto wish = parse_lease_wish(text)) {
    check_wish(*wish);
    book(wish->request);
  }
  if (const auto terms = parse_lease_terms(text)) {
    if (!terms->min || terms->min->value() > kMostLeaseBytes || terms->generation == 0u) std::abort();
  }
  return 0;
}

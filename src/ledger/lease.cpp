#include "ledger/lease.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

constexpr std::array<std::string_view, 7> kStates = {"waiting",  "starting", "active", "suspended",
                                                     "draining", "leaked",   "ended"};
constexpr std::array<std::string_view, 9> kReasons = {"none",      "released",  "owner_died", "expired",    "revoked",
                                                      "timed_out", "cancelled", "rebooted",   "device_gone"};

template <class Enum, std::size_t N>
std::optional<Enum> parse(const std::array<std::string_view, N>& words, std::string_view word) {
  const auto found = std::ranges::find(words, word);
  if (found == words.end()) return std::nullopt;
  return static_cast<Enum>(found - words.begin());
}

}  // namespace

std::string_view to_string(LeaseState state) {
  return kStates[static_cast<std::size_t>(state)];
}

std::string_view to_string(EndReason reason) {
  return kReasons[static_cast<std::size_t>(reason)];
}

std::optional<LeaseState> parse_lease_state(std::string_view word) {
  return parse<LeaseState>(kStates, word);
}

std::optional<EndReason> parse_end_reason(std::string_view word) {
  return parse<EndReason>(kReasons, word);
}

std::string_view kind_of(const Owner& owner) {
  constexpr std::array<std::string_view, 3> kinds = {"standing", "process", "heartbeat"};
  return kinds[owner.index()];
}

bool operator==(const Lease& a, const Lease& b) {
  const auto same = [](const std::shared_ptr<const Metadata>& x, const std::shared_ptr<const Metadata>& y) {
    static const Metadata none;
    return (x ? *x : none) == (y ? *y : none);
  };
  return a.id == b.id && a.group == b.group && a.group_size == b.group_size && a.generation == b.generation &&
         a.fencing_token == b.fencing_token && a.service == b.service && a.device == b.device && a.name == b.name &&
         a.request_id == b.request_id && a.min == b.min && a.max == b.max && a.observed == b.observed &&
         a.peak == b.peak && a.at_end == b.at_end && a.owner == b.owner && a.priority == b.priority && a.uid == b.uid &&
         a.state == b.state && a.reason == b.reason && a.surface == b.surface && a.exclusive == b.exclusive &&
         a.overused == b.overused && a.created == b.created && a.changed == b.changed && a.deadline == b.deadline &&
         a.lifetime == b.lifetime && a.over_at == b.over_at && same(a.metadata, b.metadata);
}

Bytes charge_of(const Lease& lease) {
  if (!lease.observed) return lease.min;  // what is unknown is not nothing
  return lease.state == LeaseState::suspended ? *lease.observed : std::max(lease.min, *lease.observed);
}

std::string mib(Bytes bytes) {
  constexpr std::uint64_t kMiB = 1u << 20;
  const std::uint64_t value = bytes.value();
  if (value % kMiB == 0 || value >= 100 * kMiB) return fmt::format("{} MiB", value / kMiB);
  if (value >= kMiB) return fmt::format("{:.1f} MiB", static_cast<double>(value) / static_cast<double>(kMiB));
  if (value >= 1024) return fmt::format("{} KiB", value / 1024);
  return fmt::format("{} B", value);
}

}  // namespace gpukeeper

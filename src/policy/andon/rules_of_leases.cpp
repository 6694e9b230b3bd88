#include <algorithm>
#include <cstddef>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/display_text.hpp"
#include "policy/andon/rules.hpp"

namespace gpukeeper::rules {
namespace {

using enum AlertLevel;

constexpr std::size_t kMostPids = 8;      // that a message names
constexpr std::size_t kLongestName = 64;  // columns; a service may be called anything

double mib(Bytes bytes) {
  return static_cast<double>(bytes.value()) / 0x1p20;
}

// "12288 MiB"
std::string mib_or_unknown(const Metric<Bytes>& bytes) {
  return bytes ? fmt::format("{:.0f} MiB", mib(*bytes)) : "an unknown amount";
}

std::string name_of(const BookedLease& lease) {
  return fmt::format("lease {} of {}", lease.id, fit(harmless(lease.service), kLongestName));
}

// " (processes 10, 11 and 3 more)"; empty where nobody knows.
std::string who(const BookedLease& lease) {
  const std::vector<std::int64_t>& pids = lease.pids;
  if (pids.empty()) return {};
  const auto named = std::min(pids.size(), kMostPids);
  const auto more = pids.size() - named;
  return fmt::format(" ({} {}{})", pids.size() == 1 ? "process" : "processes",
                     fmt::join(pids.begin(), pids.begin() + static_cast<std::ptrdiff_t>(named), ", "),
                     more == 0 ? std::string() : fmt::format(" and {} more", more));
}

// A sign for each of these leases that is on the device. Before the ledger has looked nothing can be told.
template <class Message>
bool of_leases(const Scene& scene, std::vector<Sign>& signs, std::vector<BookedLease> Booked::*leases, int severity,
               Message message) {
  const auto& booked = scene.snapshot.booked;
  if (!booked) return false;
  for (const BookedLease& lease : (*booked).*leases) {
    if (lease.device != scene.device->device->id) continue;
    signs.push_back({.subject = fmt::format("{}", lease.id),
                     .reached = warning,
                     .kept = warning,
                     .severity = severity,
                     .value = lease.observed ? mib(*lease.observed) : 0,
                     .message = fmt::format("GPU {}: {}{}", scene.gpu(), message(lease), who(lease))});
  }
  return true;
}

}  // namespace

bool lease_overuse(const Scene& scene, std::vector<Sign>& signs) {
  return of_leases(scene, signs, &Booked::overused, 60, [](const BookedLease& lease) {
    return fmt::format("{} holds {}, but may hold no more than {:.0f} MiB", name_of(lease),
                       mib_or_unknown(lease.observed), mib(lease.most));
  });
}

bool lease_leak(const Scene& scene, std::vector<Sign>& signs) {
  return of_leases(scene, signs, &Booked::leaked, 70, [](const BookedLease& lease) {
    if (!lease.observed) return fmt::format("{} is over, and nothing tells whether its memory is back", name_of(lease));
    return fmt::format("{} is over, but {:.0f} MiB of it are still in use", name_of(lease), mib(*lease.observed));
  });
}

}  // namespace gpukeeper::rules

#include "service/lease_log.hpp"

#include <fmt/format.h>

#include "core/display_text.hpp"

namespace gpukeeper::service {
namespace {

constexpr std::size_t kLongestName = 64;  // columns; a service may be called anything

// "lease 7 of embedding-service on GPU-a".
std::string name_of(const Lease& lease) {
  const std::string device = lease.device.text().empty() ? "" : fmt::format(" on {}", harmless(lease.device.text()));
  return fmt::format("lease {} of {}{}", number(lease.id), fit(harmless(lease.service.text()), kLongestName), device);
}

// "its owner died": what ended it.
std::string_view why(EndReason reason) {
  switch (reason) {
    case EndReason::none: return "for no reason";  // never said of one that is over
    case EndReason::released: return "it was given back";
    case EndReason::owner_died: return "its process ended";
    case EndReason::expired: return "its time was over";
    case EndReason::revoked: return "it was revoked";
    case EndReason::timed_out: return "it has waited until its deadline";
    case EndReason::cancelled: return "who waited for it went away";
    case EndReason::rebooted: return "the machine was started anew";
    case EndReason::device_gone: return "its GPU is gone";
  }
  return "for no reason";
}

std::string shown(const Metric<Bytes>& bytes) {
  return bytes ? mib(*bytes) : "an unknown amount";
}

std::pair<LogLevel, std::string> line_of(const LedgerEvent& event, const Lease& lease) {
  using enum LedgerEvent::Kind;
  switch (event.kind) {
    case granted:
      return {LogLevel::info, fmt::format("{} is granted: {}{}", name_of(lease), mib(lease.min),
                                          event.note.empty() ? "" : "; " + harmless(event.note))};
    case ended: return {LogLevel::info, fmt::format("{} is over: {}", name_of(lease), why(lease.reason))};
    case draining:
      return {LogLevel::info, fmt::format("{} ends: {}; {} are in use still", name_of(lease), why(lease.reason),
                                          shown(lease.observed))};
    case leaked:
      return {LogLevel::warning, fmt::format("{} is over ({}), but {} are still in use: they were not given back",
                                             name_of(lease), why(lease.reason), shown(lease.observed))};
    case overused:
      return {LogLevel::warning, fmt::format("{} holds {}, but may hold no more than {}", name_of(lease),
                                             shown(lease.observed), mib(lease.max))};
    case overuse_over:
      return {LogLevel::info, fmt::format("{} holds no more than it may: {}", name_of(lease), shown(lease.observed))};
  }
  return {LogLevel::info, name_of(lease)};
}

}  // namespace

void LeaseLog::note(const LedgerEvent& event, const Lease& lease) {
  auto line = line_of(event, lease);
  std::scoped_lock lock(mutex_);
  if (lines_.size() < kMost) {
    lines_.push_back(std::move(line));
  } else {
    ++unsaid_;
  }
}

void LeaseLog::look() {
  std::deque<std::pair<LogLevel, std::string>> lines;
  std::size_t unsaid = 0;
  {
    std::scoped_lock lock(mutex_);
    lines.swap(lines_);
    unsaid = std::exchange(unsaid_, 0);
  }
  for (const auto& [level, text] : lines) {
    if (level == LogLevel::warning) {
      log_.warning("{}", text);
    } else {
      log_.info("{}", text);
    }
  }
  if (unsaid > 0) log_.warning("{} more leases were granted or ended than are told here", unsaid);
}

}  // namespace gpukeeper::service

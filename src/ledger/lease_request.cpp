#include "ledger/lease_request.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

Result<void> check_text(std::string_view what, std::string_view text) {
  if (text.size() > kLongestName) {
    return fail(Errc::invalid_argument,
                fmt::format("the {} is {} bytes long; {} are allowed", what, text.size(), kLongestName));
  }
  // They stand in lines of texts and logs, and in keys that are told apart by line ends.
  const auto* const control = std::ranges::find_if(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
  if (control == text.end()) return {};
  return fail(Errc::invalid_argument, fmt::format("the {} holds a control character (0x{:02x}); leave it out", what,
                                                  static_cast<unsigned char>(*control)));
}

std::size_t size_of(const Metadata& metadata) {
  std::size_t size = 0;
  for (const auto& [key, value] : metadata) size += key.size() + value.size();
  return size;
}

}  // namespace

Result<void> check(const LeaseRequest& request) {
  if (request.service.empty()) return fail(Errc::invalid_argument, "the request names no service");
  if (auto good = check_text("service's name", request.service); !good) return good;
  if (auto good = check_text("lease's name", request.name); !good) return good;
  if (auto good = check_text("request id", request.request_id); !good) return good;
  const Bytes max = request.max.value_or(request.min);
  if (max == Bytes(0)) return fail(Errc::invalid_argument, "the request is for no memory at all; ask for more than 0");
  if (max < request.min) {
    return fail(Errc::invalid_argument,
                fmt::format("the most, {}, is less than the least, {}", mib(max), mib(request.min)));
  }
  if (request.devices == 0) return fail(Errc::invalid_argument, "the request is for no device; ask for 1 or more");
  if (request.require_device && request.device.empty()) {
    return fail(Errc::invalid_argument, "a device is required, but none is named");
  }
  if (request.require_device && request.devices > 1) {
    return fail(Errc::invalid_argument, "one device is required, but several are asked for");
  }
  const std::int32_t priority = request.priority.value_or(0);
  if (priority < -kMostPriority || priority > kMostPriority) {
    return fail(Errc::invalid_argument, fmt::format("priority {} is out of range; it is between {} and {}", priority,
                                                    -kMostPriority, kMostPriority));
  }
  if (const auto* owner = std::get_if<HeartbeatOwner>(&request.owner); owner && owner->ttl.count() <= 0) {
    return fail(Errc::invalid_argument, "the heartbeat's interval is not above 0");
  }
  if (const auto* owner = std::get_if<ProcessOwner>(&request.owner); owner && owner->pid <= 0) {
    return fail(Errc::invalid_argument, fmt::format("{} is no process", owner->pid));
  }
  if (request.wait && request.wait->count() < 0) return fail(Errc::invalid_argument, "the wait is negative");
  if (request.lifetime && request.lifetime->count() <= 0) {
    return fail(Errc::invalid_argument, "the lifetime is not above 0");
  }
  if (const auto size = size_of(request.metadata); size > kMostMetadata) {
    return fail(Errc::invalid_argument,
                fmt::format("the metadata is {} bytes long; {} are allowed", size, kMostMetadata));
  }
  return {};
}

}  // namespace gpukeeper

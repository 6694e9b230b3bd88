#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "auth/network.hpp"
#include "auth/request_rate.hpp"
#include "core/clock.hpp"
#include "service/http.hpp"

namespace gpukeeper::service {

/// Those from beyond this machine whom nobody knows: how often they may ask (http.requests_per_minute). Whether
/// gpukeeper lives may be asked at any time: a supervisor that is refused would restart it.
///
/// Threads: refuse() belongs to the server's; configure() may be called from any.
class Visitors {
 public:
  /// The clock outlives this. 0: as often as they like.
  Visitors(std::uint32_t per_minute, const Clock& clock) : per_minute_(per_minute), clock_(clock) {}

  void configure(std::uint32_t per_minute) { per_minute_ = per_minute; }

  /// 429, with Retry-After, for who has asked too often; who asks is known. Nothing for everybody else.
  std::optional<Response> refuse(const Request& request);

 private:
  std::atomic<std::uint32_t> per_minute_;
  const Clock& clock_;
  auth::RequestRate rate_;
};

/// Whether who comes from there may connect: one of this machine, or one of these networks; without any, everybody.
bool is_welcome(const Peer& peer, const std::vector<auth::Network>& allowed);

/// By what a visitor is told from others: his address; of IPv6 the first half, all of which is one's own to choose
/// from.
std::string visitor_of(const std::string& address);

}  // namespace gpukeeper::service

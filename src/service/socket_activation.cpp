#include "service/socket_activation.hpp"

#include <utility>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"

namespace gpukeeper::service {
namespace {

constexpr int kFirst = 3;            // SD_LISTEN_FDS_START
constexpr std::uint64_t kMost = 64;  // more are a mistake

}  // namespace

Result<PassedSockets> passed_sockets(const Variable& environment, pid_t self) {
  PassedSockets passed;
  const auto pid = parse_u64(environment("LISTEN_PID").value_or(""));
  const auto count = parse_u64(environment("LISTEN_FDS").value_or(""));
  if (!pid || !count || *pid != static_cast<std::uint64_t>(self)) return passed;
  if (*count > kMost)
    return fail(Errc::invalid_argument, fmt::format("LISTEN_FDS says {} sockets: {} are the most", *count, kMost));
  const std::string listed = environment("LISTEN_FDNAMES").value_or("");
  const auto names = split(listed, ':');
  for (std::size_t i = 0; i < *count; ++i) {
    const std::string_view name = i < names.size() ? names[i] : std::string_view();
    const bool tls = name == "https" || name == "https-metrics";
    const int descriptor = kFirst + static_cast<int>(i);
    auto listener = Listener::adopt(Descriptor(descriptor), tls);
    if (!listener) {
      return fail(Errc::invalid_argument, fmt::format("the socket '{}' that was passed on, descriptor {}: {}",
                                                      harmless(name), descriptor, listener.error().message));
    }
    const bool for_metrics = name == "metrics" || name == "https-metrics";
    (for_metrics ? passed.metrics : passed.own).push_back(std::move(*listener));
  }
  return passed;
}

}  // namespace gpukeeper::service

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gpukeeper::service {

/// Tells systemd how the service is doing: one datagram to the socket that $NOTIFY_SOCKET names (sd_notify(3)). Silent
/// where there is none.
class ServiceManager {
 public:
  /// `socket` is $NOTIFY_SOCKET: a path, or a name that begins with '@' in the abstract namespace.
  explicit ServiceManager(std::optional<std::string> socket) : socket_(std::move(socket)) {}

  void ready() const { notify("READY=1"); }
  void alive() const { notify("WATCHDOG=1"); }
  void stopping() const { notify("STOPPING=1"); }

 private:
  void notify(std::string_view state) const;

  const std::optional<std::string> socket_;
};

}  // namespace gpukeeper::service

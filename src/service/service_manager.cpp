#include "service/service_manager.hpp"

#include <algorithm>
#include <cstddef>

#include <sys/socket.h>
#include <sys/un.h>

#include "service/listener.hpp"

namespace gpukeeper::service {

void ServiceManager::notify(std::string_view state) const {
  sockaddr_un name{};
  if (!socket_ || socket_->empty() || socket_->size() > kLongestSocketPath) return;
  name.sun_family = AF_UNIX;
  std::ranges::copy(*socket_, name.sun_path);
  if (name.sun_path[0] == '@') name.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_->size());
  const Descriptor out(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  // Not waited for: a service manager that does not listen must not hold us up.
  static_cast<void>(::sendto(out.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                             reinterpret_cast<const sockaddr*>(&name), size));
}

}  // namespace gpukeeper::service

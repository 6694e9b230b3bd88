#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "core/text.hpp"
#include "service/listener.hpp"

namespace gpukeeper::service {

/// A client with its hands on the bytes: it sends what it is told, well formed or not, and blocks for at most 20 s.
class HttpClient {
 public:
  explicit HttpClient(const ListenAddress& address) {
    if (address.is_unix()) {
      sockaddr_un name{};
      name.sun_family = AF_UNIX;
      address.path.copy(name.sun_path, sizeof name.sun_path - 1);
      connect(AF_UNIX, reinterpret_cast<const sockaddr*>(&name), sizeof name);
    } else {
      sockaddr_in name{};
      name.sin_family = AF_INET;
      name.sin_port = htons(address.port);
      ::inet_pton(AF_INET, address.host.c_str(), &name.sin_addr);
      connect(AF_INET, reinterpret_cast<const sockaddr*>(&name), sizeof name);
    }
  }

  bool connected() const { return connected_; }
  int descriptor() const { return socket_.get(); }

  /// Whether all of it was taken.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void end_sending() { ::shutdown(socket_.get(), SHUT_WR); }

  /// One answer, head and body; what there was when the connection ended before.
  std::string receive(bool with_body = true) {
    std::size_t end = 0;
    while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
      if (!more()) return std::exchange(unread_, {});
    }
    std::size_t size = end + 4;
    const auto at = unread_.find("Content-Length: ");
    if (with_body && at < end)
      size += parse_u64(std::string_view(unread_).substr(at + 16, unread_.find('\r', at) - at - 16)).value_or(0);
    while (unread_.size() < size) {
      if (!more()) break;
    }
    std::string answer = unread_.substr(0, size);
    unread_.erase(0, size);
    return answer;
  }

  /// So many bytes; fewer when the connection ended before.
  std::string receive_exactly(std::size_t size) {
    while (unread_.size() < size && more()) {
    }
    std::string bytes = unread_.substr(0, size);
    unread_.erase(0, bytes.size());
    return bytes;
  }

  /// All that comes until the other side ends the connection.
  std::string receive_all() {
    while (more()) {
    }
    return std::exchange(unread_, {});
  }

 private:
  void connect(int family, const sockaddr* name, socklen_t size) {
    socket_ = Descriptor(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval patience{20, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    connected_ = ::connect(socket_.get(), name, size) == 0;
  }

  bool more() {
    char bytes[65536];
    const auto got = ::recv(socket_.get(), bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    unread_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  Descriptor socket_;
  bool connected_ = false;
  std::string unread_;
};

inline std::string body_of(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

}  // namespace gpukeeper::service

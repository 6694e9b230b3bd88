#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace gpukeeper {

/// Where to listen, as `--listen` and the configuration say it.
struct ListenAddress {
  std::string path;        ///< of a unix socket; empty for TCP
  std::string host;        ///< an IPv4 or IPv6 address, without brackets
  std::uint16_t port = 0;  ///< 0: any that is free
  bool tls = false;        ///< TCP only: "https://"

  bool is_unix() const { return !path.empty(); }
  bool is_v6() const { return host.find(':') != std::string::npos; }

  /// Whether only this machine reaches it.
  bool is_local() const;

  /// As it is written: "unix:/run/gpukeeper.sock", "127.0.0.1:8737", "[::1]:8737",
  /// "https://0.0.0.0:7910".
  std::string to_string() const;

  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

/// The port when none is chosen. It is registered for no service (IANA) and needs no privilege.
inline constexpr std::uint16_t kDefaultPort = 8737;

/// The longest path of a unix socket: sun_path has 108 bytes with the NUL (unix(7)).
inline constexpr std::size_t kLongestSocketPath = 107;

/// Reads "ADDRESS:PORT", "[v6]:PORT" or "unix:PATH"; before the first two may stand "https://", "tls:" for the same, or
/// "http://". Names are not looked up, but for localhost.
/// Errors: invalid_argument with what would be right.
Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace gpukeeper

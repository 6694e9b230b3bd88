#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/listen_address.hpp"
#include "core/result.hpp"

namespace gpukeeper::client {

/// Where a daemon is, as a person says it: a socket of this machine, or a machine and a port.
struct Host {
  std::string path;  ///< of a unix socket; empty for TCP
  std::string name;  ///< of the machine, or its address without brackets
  std::uint16_t port = kDefaultPort;
  bool tls = false;

  friend bool operator==(const Host&, const Host&) = default;
};

/// Reads "unix:PATH", "HOST", "HOST:PORT", "[v6]", "[v6]:PORT", and the last four behind "http://" or "https://".
/// `from` is who said it: "--host", "GPUKEEPER_HOST". Errors: invalid_argument with what would be right.
Result<Host> parse_host(std::string_view text, std::string_view from);

/// The addresses of it, in the resolver's order; never empty. Takes as long as the machine's resolver does, but of an
/// address it asks nobody.
/// Errors: not_found when there is no machine of that name, or nobody knows it now.
Result<std::vector<ListenAddress>> look_up(const Host& host);

}  // namespace gpukeeper::client

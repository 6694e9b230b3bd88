#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sinks/sink_settings.hpp"

namespace gpukeeper {

/// What must be known of a URL before something is sent there.
struct Address {
  std::string scheme;  ///< small letters
  std::string host;    ///< without the brackets of an IPv6 address
  std::optional<std::uint16_t> port;

  bool is_this_machine() const;  ///< localhost, 127.0.0.0/8 or ::1
};

/// Nothing where it is no URL with a scheme and a host, holds a user (a password would stand there too), blanks,
/// control characters or bytes beyond ASCII, or is longer than 2000 bytes.
std::optional<Address> parse_address(std::string_view url);

/// Why this sink may not send to that address, in words that follow "sinks[0].url = …: "; nothing when it may.
/// Never holds the address itself.
std::optional<std::string> refusal_of_address(const SinkSettings& sink, std::string_view url);

}  // namespace gpukeeper

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace gpukeeper::auth {

/// Addresses that begin alike: "10.1.0.0/16", "fd00::/8"; or a single one, "192.168.1.7".
class Network {
 public:
  Network() = default;  ///< every address

  /// Errors: invalid_argument, with what would be right.
  static Result<Network> parse(std::string_view text);

  /// Whether that address is one of them; not when it is none. "::ffff:10.1.2.3" is 10.1.2.3.
  bool contains(const std::string& address) const;

  /// As it is written.
  const std::string& to_string() const { return text_; }

  friend bool operator==(const Network&, const Network&) = default;

 private:
  using Address = std::array<std::uint8_t, 16>;

  static bool read(const std::string& text, Address& address);

  std::string text_ = "::/0";
  Address first_{};      // one of version 4 stands here as ::ffff:a.b.c.d
  unsigned prefix_ = 0;  // bits, of these 128
};

}  // namespace gpukeeper::auth

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gpukeeper::auth {

/// What somebody may do; each may do what those before it may.
enum class Role : std::uint8_t {
  none,
  viewer,     ///< looks
  operator_,  ///< books memory, releases what is his own, turns monitoring on and off, takes care of alerts
  admin,      ///< sets the configuration, revokes leases of others, slows GPUs down, reads command lines
};

/// "viewer", "operator", "admin"; "none" for nobody.
std::string_view to_string(Role role);

/// Nothing for any other word, and for "none": nobody is given that.
std::optional<Role> parse_role(std::string_view word);

/// Who asks, once that was found out.
struct Identity {
  Role role = Role::none;
  std::string name;    ///< for people and the log: "root", "user 1000", "token ci (1a2b3c4d)", "127.0.0.1"
  bool known = false;  ///< the kernel or a token says who it is; an address alone does not
  /// Of a token that is for one service: its leases are all that may be changed with it.
  std::optional<std::string> service = std::nullopt;
};

}  // namespace gpukeeper::auth

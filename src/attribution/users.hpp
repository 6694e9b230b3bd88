#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/clock.hpp"
#include "core/files.hpp"

namespace gpukeeper {

/// The names of users, from /etc/passwd of the machine that is looked at. Users whom only a directory service knows
/// (LDAP, SSSD) have their number for a name: to ask such a service can take seconds, and from inside a container it
/// would be the wrong one.
/// Threads: one at a time.
class Users {
 public:
  explicit Users(const Files& files) : files_(files) {}

  /// The name; the number where none is known.
  std::string name(std::uint32_t uid, MonotonicTime now);

 private:
  void read();

  const Files& files_;
  std::map<std::uint32_t, std::string> names_;
  bool known_ = false;
  MonotonicTime read_at_{};
};

}  // namespace gpukeeper

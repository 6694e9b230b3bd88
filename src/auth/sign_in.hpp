#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mutex>

#include "auth/token.hpp"

namespace gpukeeper::auth {

/// Signing in by a link: a code that works once, soon, and begins a session, which a browser keeps as a cookie. Both
/// are 256 random bits, live in memory only and end with the process.
///
/// Threads: any.
class SignIn {
 public:
  static constexpr std::chrono::minutes kCodeLives{10};
  static constexpr std::chrono::hours kSessionLives{12};
  static constexpr std::size_t kMost = 64;  ///< codes, and sessions; beyond them the oldest ends

  explicit SignIn(Random random = system_random) : random_(std::move(random)) {}

  /// A code for a session with that role. Errors: those of Random.
  Result<std::string> make_code(Role role, WallTime now);

  /// What the session is known by, once for each code. Nothing for a code that is none (any more).
  /// Errors: those of Random.
  Result<std::optional<std::string>> redeem(std::string_view code, WallTime now);

  /// Who that is; nothing when there is no such session (any more).
  std::optional<Identity> session(std::string_view secret, WallTime now) const;

 private:
  Result<std::string> add(std::vector<Token>& list, Role role, WallTime expires);

  const Random random_;
  mutable std::mutex mutex_;
  std::vector<Token> codes_;     // guarded by mutex_
  std::vector<Token> sessions_;  // guarded by mutex_
};

}  // namespace gpukeeper::auth

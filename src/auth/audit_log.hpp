#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "auth/role.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"

namespace gpukeeper::auth {

/// A change that was asked for, and what became of it.
struct AuditEntry {
  WallTime at{};
  std::string who;  ///< Identity::name
  Role role = Role::none;
  std::string from;     ///< an address; empty over the unix socket
  std::string what;     ///< "PATCH /api/v1/config"
  std::string asked;    ///< the body
  unsigned status = 0;  ///< of the answer; 0 when its client had gone before
  std::string answer;   ///< its body
};

/// One line of JSON: at, who, role, from, what, status; `old` and `new`, each an object of keys, where the answer lists
/// what has changed, as that of a change of the configuration does, whose body is left out: it may hold passwords. Else
/// `asked`, and as `new` the answer. What is no JSON is a text, what is longer than kMostAuditText is cut.
std::string audit_line(const AuditEntry& entry);
inline constexpr std::size_t kMostAuditText = 4096;

/// The changes, a line each, in audit.jsonl of a folder (mode 0600). A file that would grow beyond `most_bytes` becomes
/// audit.jsonl.1, that one .2 and so on; beyond kKept of them the oldest goes.
///
/// Threads: add() waits for the disk, and belongs to one; latest() may be called from any.
class AuditLog {
 public:
  static constexpr std::size_t kKept = 4;
  static constexpr std::size_t kRemembered = 1000;

  /// Remembers the newest lines that are there. An empty folder: nothing is kept beyond the process.
  explicit AuditLog(const std::string& folder, std::size_t most_bytes = 4 << 20);

  /// Errors: as the disk says, with the path; it is remembered all the same.
  Result<void> add(const std::string& line);

  /// The newest first, at most so many.
  std::vector<std::string> latest(std::size_t most) const;

 private:
  void remember(const std::string& line);
  Result<void> turn_over() const;

  const std::string path_;  // empty: there is no file
  const std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::deque<std::string> lines_;  // guarded by mutex_; the newest last
};

}  // namespace gpukeeper::auth

#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "core/result.hpp"

namespace gpukeeper::backup {

/// Root who works in a folder of somebody else acts as that one, for as long as this lives. So what is made there
/// belongs to its owner, and a link that the owner has put in the way leads nowhere where he may not go himself.
/// Everybody else stays who he is, as does root in a folder of root's, and where there is none yet.
///
/// Threads: it counts for all of the process; only for a program that does nothing else meanwhile.
class ActingAsOwner {
 public:
  /// Errors: as the kernel says.
  static Result<ActingAsOwner> of(const std::string& folder);
  ~ActingAsOwner();
  ActingAsOwner(ActingAsOwner&& other) noexcept;
  ActingAsOwner& operator=(ActingAsOwner&&) = delete;

  /// Does that as who we really are. Errors: its own; as the kernel says.
  template <class Act>
  Result<void> aside(const Act& act) const {
    leave();
    auto done = act();
    auto again = enter();
    return again ? done : again;
  }

 private:
  struct Ids {
    uid_t user;
    gid_t group;
    gid_t own_group;  // that we go back to, and the next
    std::vector<gid_t> own_groups;
  };
  ActingAsOwner() = default;

  Result<void> enter() const;
  void leave() const;

  std::optional<Ids> ids_;  // nothing where nothing changes
};

}  // namespace gpukeeper::backup

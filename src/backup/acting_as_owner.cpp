#include "backup/acting_as_owner.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/files.hpp"

namespace gpukeeper::backup {

Result<ActingAsOwner> ActingAsOwner::of(const std::string& folder) {
  ActingAsOwner owner;
  struct stat facts {};
  if (::geteuid() != 0 || ::stat(folder.c_str(), &facts) != 0 || facts.st_uid == 0) return owner;
  Ids ids{.user = facts.st_uid, .group = facts.st_gid, .own_group = ::getegid(), .own_groups = {}};
  const int groups = ::getgroups(0, nullptr);
  ids.own_groups.resize(groups > 0 ? static_cast<std::size_t>(groups) : 0);
  if (groups > 0) static_cast<void>(::getgroups(groups, ids.own_groups.data()));
  owner.ids_ = std::move(ids);
  if (auto entered = owner.enter(); !entered) return tl::make_unexpected(entered.error());
  return owner;
}

ActingAsOwner::ActingAsOwner(ActingAsOwner&& other) noexcept : ids_(std::exchange(other.ids_, std::nullopt)) {}

ActingAsOwner::~ActingAsOwner() {
  leave();
}

// The user last: after that the groups cannot be changed.
Result<void> ActingAsOwner::enter() const {
  if (!ids_) return {};
  if (::setgroups(1, &ids_->group) == 0 && ::setegid(ids_->group) == 0 && ::seteuid(ids_->user) == 0) return {};
  return fail(errc_from_errno(errno),
              fmt::format("act as the user {}, to whom the state directory belongs: {}; run it as that user",
                          ids_->user, std::generic_category().message(errno)));
}

void ActingAsOwner::leave() const {
  if (!ids_) return;
  static_cast<void>(::seteuid(0));
  static_cast<void>(::setegid(ids_->own_group));
  static_cast<void>(::setgroups(ids_->own_groups.size(), ids_->own_groups.data()));
}

}  // namespace gpukeeper::backup

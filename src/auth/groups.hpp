#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace gpukeeper::auth {

/// The numbers of groups that were given by name or number, out of /etc/group's text. A name that is not in it belongs
/// to nobody here: it is in `unknown`. Groups that only a directory service knows are given by number.
struct GroupIds {
  std::vector<gid_t> ids;
  std::vector<std::string> unknown;
};
GroupIds group_ids(const std::vector<std::string>& names, std::string_view etc_group);

}  // namespace gpukeeper::auth

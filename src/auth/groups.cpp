#include "auth/groups.hpp"

#include <limits>
#include <optional>

#include "core/text.hpp"

namespace gpukeeper::auth {
namespace {

std::optional<gid_t> number(std::string_view text) {
  const auto value = parse_u64(text);
  if (!value || *value >= std::numeric_limits<gid_t>::max()) return std::nullopt;  // the last one is (gid_t)-1: none
  return static_cast<gid_t>(*value);
}

// group(5): name:password:GID:members
std::optional<gid_t> look_up(std::string_view name, std::string_view etc_group) {
  for (const std::string_view line : lines(etc_group)) {
    const auto fields = split(line, ':');
    if (fields.size() >= 3 && fields[0] == name) return number(fields[2]);
  }
  return std::nullopt;
}

}  // namespace

GroupIds group_ids(const std::vector<std::string>& names, std::string_view etc_group) {
  GroupIds result;
  for (const std::string& name : names) {
    auto id = number(name);
    if (!id) id = look_up(name, etc_group);
    if (id) {
      result.ids.push_back(*id);
    } else {
      result.unknown.push_back(name);
    }
  }
  return result;
}

}  // namespace gpukeeper::auth

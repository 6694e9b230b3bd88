#include "attribution/users.hpp"

#include <limits>
#include <string_view>

#include "core/text.hpp"

namespace gpukeeper {

std::string Users::name(std::uint32_t uid, MonotonicTime now) {
  constexpr auto kPeriod = std::chrono::minutes(5);  // how soon a new user has a name
  if (!known_ || now - read_at_ >= kPeriod) {
    read();
    known_ = true;
    read_at_ = now;
  }
  const auto found = names_.find(uid);
  return found == names_.end() ? std::to_string(uid) : found->second;
}

// "name:password:uid:gid:comment:home:shell"; the first of two lines with one uid names it, as for getpwuid.
void Users::read() {
  std::map<std::uint32_t, std::string> names;
  const auto done = files_.each_line("/etc/passwd", [&](std::string_view line) {
    const auto fields = split(line, ':');
    if (fields.size() < 3 || fields[0].empty()) return true;
    const auto uid = parse_u64(fields[2]);
    if (uid && *uid <= std::numeric_limits<std::uint32_t>::max()) {
      names.emplace(static_cast<std::uint32_t>(*uid), fields[0]);
    }
    return true;
  });
  if (done) names_ = std::move(names);  // while it is being replaced the old names stand
}

}  // namespace gpukeeper

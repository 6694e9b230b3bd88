#include "cli/run_cgroup.hpp"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string_view>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "actuators/cgroup_freezer.hpp"
#include "core/files.hpp"
#include "core/text.hpp"

namespace gpukeeper::cli {

namespace {

constexpr std::string_view kName = "gpukeeper-run-";

// Or had our pid, before us.
bool is_gone(pid_t pid) {
  return pid == ::getpid() || (::kill(pid, 0) != 0 && errno == ESRCH);
}

// A run that was killed leaves its group, and so does one whose command has left somebody in it: they go here, once
// nobody is in them (else rmdir(2) fails).
void remove_those_of_the_gone(const std::string& parent) {
  std::error_code error;
  for (std::filesystem::directory_iterator at(parent, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    const auto pid = name.starts_with(kName) ? parse_u64(std::string_view(name).substr(kName.size())) : std::nullopt;
    if (pid && is_gone(static_cast<pid_t>(*pid))) ::rmdir(at->path().c_str());
  }
}

}  // namespace

RunCgroup RunCgroup::make() {
  const RealFiles files;
  const auto mount = cgroup2_mount(files.read("/proc/self/mountinfo").value_or(""));
  const auto ours = cgroup2_path(files.read("/proc/self/cgroup").value_or(""));
  if (!mount || !ours) return RunCgroup({});
  const std::string parent = *mount + (*ours == "/" ? "" : *ours);
  remove_those_of_the_gone(parent);
  std::string path = fmt::format("{}/{}{}", parent, kName, ::getpid());
  if (::mkdir(path.c_str(), 0755) != 0) return RunCgroup({});
  RunCgroup group(std::move(path));
  if (::access((group.path_ + "/cgroup.procs").c_str(), W_OK) != 0) return RunCgroup({});
  return group;
}

RunCgroup::~RunCgroup() {
  if (!path_.empty()) ::rmdir(path_.c_str());
}

}  // namespace gpukeeper::cli

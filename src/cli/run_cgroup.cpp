#include "cli/run_cgroup.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "actuators/cgroup_freezer.hpp"
#include "core/files.hpp"

namespace gpukeeper::cli {

RunCgroup RunCgroup::make() {
  const RealFiles files;
  const auto mount = cgroup2_mount(files.read("/proc/self/mountinfo").value_or(""));
  const auto ours = cgroup2_path(files.read("/proc/self/cgroup").value_or(""));
  if (!mount || !ours) return RunCgroup({});
  std::string path = fmt::format("{}{}/gpukeeper-run-{}", *mount, *ours == "/" ? "" : *ours, ::getpid());
  if (::mkdir(path.c_str(), 0755) != 0) return RunCgroup({});
  RunCgroup group(std::move(path));
  if (::access((group.path_ + "/cgroup.procs").c_str(), W_OK) != 0) return RunCgroup({});
  return group;
}

RunCgroup::~RunCgroup() {
  if (!path_.empty()) ::rmdir(path_.c_str());
}

}  // namespace gpukeeper::cli

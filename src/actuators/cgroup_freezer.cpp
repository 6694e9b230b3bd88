#include "actuators/cgroup_freezer.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "core/glob.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

constexpr int kDeepest = 32;             // groups below groups; the kernel's own limit is far above what anyone makes
constexpr std::size_t kMostPids = 4096;  // a group with more is no training job

constexpr std::array<std::string_view, 24> kMustRun = {"Xorg",
                                                       "Xwayland",
                                                       "Xvnc",
                                                       "gnome-shell",
                                                       "kwin_x11",
                                                       "kwin_wayland",
                                                       "sway",
                                                       "weston",
                                                       "mutter",
                                                       "Hyprland",
                                                       "labwc",
                                                       "wayfire",
                                                       "gdm",
                                                       "sddm",
                                                       "lightdm",
                                                       "systemd",
                                                       "systemd-logind",
                                                       "dbus-daemon",
                                                       "nvidia-persiste",
                                                       "nvidia-cuda-mps",
                                                       "nvidia-fabricma",
                                                       "nv-fabricmanage",
                                                       "nv-hostengine",
                                                       "sshd"};

class FreezeActuator final : public Actuator {
 public:
  FreezeActuator(ActuatorName name, const Files& files, KernelFiles& writes)
      : name_(std::move(name)), files_(files), writes_(writes) {}

  const ActuatorName& name() const override { return name_; }

  Result<std::string> look() override {
    const auto text = files_.read(path());
    if (!text) return tl::make_unexpected(text.error());
    return std::string(trim(*text));
  }
  std::optional<std::string> wish(double multiplier, const std::string& found) override {
    if (multiplier > 0 || found != "0") return std::nullopt;  // one that somebody else froze is not ours to thaw
    return "1";
  }
  Result<void> set(const std::string& value) override { return writes_.write(path(), value); }
  Result<void> give_back(const std::string& found) override { return set(found); }
  std::string spell(const std::string& value) const override { return value == "0" ? "running" : "frozen"; }

 private:
  std::string path() const { return name_.place + "/cgroup.freeze"; }

  const ActuatorName name_;
  const Files& files_;
  KernelFiles& writes_;
};

// The names of all processes in a group and below it; nothing when they cannot be known.
std::optional<std::vector<std::string>> names_in(const Files& files, const std::string& group, int depth = 0) {
  if (depth > kDeepest) return std::nullopt;
  const auto pids = files.read(group + "/cgroup.procs");
  if (!pids) return std::nullopt;
  std::vector<std::string> names;
  for (const std::string_view line : split(*pids, '\n')) {
    if (line.empty()) continue;
    const auto pid = parse_u64(line);
    if (!pid || *pid == 0 || names.size() >= kMostPids) return std::nullopt;  // 0: of another pid namespace
    if (*pid == static_cast<std::uint64_t>(::getpid())) return std::nullopt;
    const auto name = files.read(fmt::format("/proc/{}/comm", *pid));
    if (!name && name.error().code == Errc::not_found) continue;  // it has ended
    if (!name) return std::nullopt;
    names.emplace_back(trim(*name));
  }
  const auto entries = files.list(group);
  if (!entries) return std::nullopt;
  for (const std::string& entry : *entries) {
    const std::string below = group + "/" + entry;
    const auto inside = files.list(below);
    if (!inside && inside.error().code == Errc::not_found) continue;  // a file of this group's
    if (!inside) return std::nullopt;
    const auto more = names_in(files, below, depth + 1);
    if (!more) return std::nullopt;
    names.insert(names.end(), more->begin(), more->end());
  }
  return names;
}

bool may_be_frozen(const Files& files, const std::string& group) {
  const auto names = names_in(files, group);
  return names && std::ranges::none_of(*names, must_run);
}

}  // namespace

std::optional<std::string> cgroup2_mount(std::string_view mountinfo) {
  for (const std::string_view line : split(mountinfo, '\n')) {
    const auto dash = line.find(" - cgroup2 ");
    if (dash == std::string_view::npos) continue;
    const auto fields = split(line.substr(0, dash), ' ');  // id, parent, device, root, mount point, options …
    if (fields.size() > 4 && fields[3] == "/") return std::string(fields[4]);
  }
  return std::nullopt;
}

std::optional<std::string> cgroup2_path(std::string_view cgroup) {
  for (const std::string_view line : split(cgroup, '\n')) {
    if (line.starts_with("0::/")) return std::string(line.substr(3));
  }
  return std::nullopt;
}

bool must_run(std::string_view name) {
  return std::ranges::find(kMustRun, name.substr(0, 15)) != kMustRun.end();
}

std::vector<std::unique_ptr<Actuator>> freezers(const DeviceSnapshot& device, const ActuatorSettings& settings,
                                                const Files& files, KernelFiles& writes) {
  std::vector<std::unique_ptr<Actuator>> result;
  const auto mount = cgroup2_mount(files.read("/proc/self/mountinfo").value_or(""));
  if (!mount) return result;
  std::set<std::string> groups;
  for (const GpuProcess& process : *device.processes) {
    const auto text = files.read(fmt::format("/proc/{}/cgroup", process.pid));
    const auto path = text ? cgroup2_path(*text) : std::nullopt;
    const bool allowed = path && std::ranges::any_of(settings.freeze_cgroups,
                                                     [&](const std::string& pattern) { return fits(pattern, *path); });
    if (allowed && *path != "/") groups.insert(*mount + *path);
  }
  for (const std::string& group : groups) {
    if (!may_be_frozen(files, group)) continue;
    result.push_back(
        std::make_unique<FreezeActuator>(ActuatorName{ActuatorKind::freeze, device.device->id, group}, files, writes));
  }
  return result;
}

std::unique_ptr<Actuator> find_freezer(const ActuatorName& name, const Files& files, KernelFiles& writes) {
  const auto there = files.read(name.place + "/cgroup.freeze");
  if (!there && there.error().code == Errc::not_found)
    return nullptr;  // what cannot be read today is no group that is gone
  return std::make_unique<FreezeActuator>(name, files, writes);
}

}  // namespace gpukeeper

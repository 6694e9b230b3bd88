#include "attribution/ancestry.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace gpukeeper {
namespace {

template <std::size_t N>
bool is_any(std::string_view name, const std::string_view (&of)[N]) {
  return std::ranges::find(of, name) != std::end(of);
}

// They have a terminal only to hand it on.
constexpr std::string_view kLogins[] = {"login", "agetty", "getty", "mingetty", "sshd", "sshd-session", "systemd"};

// Names as the kernel keeps them: cut to 15 bytes.
constexpr std::string_view kSessions[] = {
    "gnome-shell",  "gnome-session-b", "plasmashell",  "plasma_session", "ksmserver",       "kwin_wayland",
    "kwin_x11",     "xfce4-session",   "mate-session", "cinnamon",       "cinnamon-sessio", "lxsession",
    "lxqt-session", "budgie-panel",    "sway",         "Hyprland",       "weston",          "i3",
    "awesome",      "gamescope",       "gamescope-wl", "cosmic-session", "pantheon",        "xrdp-sesman",
    "sshd",         "sshd-session",
};

/// What a chain of processes, walked from the inside out, says of its root.
class Finder {
 public:
  void meet(const ProcessStat& process) {
    if (process.terminal != 0 && !is_any(process.name, kLogins)) {
      at_terminal_ = InteractiveRoot{process.pid, process.name, terminal_name(process.terminal)};
    }
    if (!session_ && is_any(process.name, kSessions)) session_ = InteractiveRoot{process.pid, process.name, ""};
  }
  std::optional<InteractiveRoot> found() && { return at_terminal_ ? std::move(at_terminal_) : std::move(session_); }

 private:
  std::optional<InteractiveRoot> at_terminal_;  // the outermost so far
  std::optional<InteractiveRoot> session_;      // the nearest
};

}  // namespace

Metric<std::optional<InteractiveRoot>> interactive_root(const ProcessStat& process, const StatOf& stat_of) {
  Finder finder;
  finder.meet(process);
  const auto broken = [&](Missing reason) -> Metric<std::optional<InteractiveRoot>> {
    auto found = std::move(finder).found();
    if (found) return found;
    return missing(reason);
  };
  std::int64_t parent = process.parent;
  std::uint64_t born = process.start_ticks;
  for (std::size_t depth = 0; parent > 0; ++depth) {
    if (depth == kMostForebears) return broken(Missing::failed);
    const auto stat = stat_of(parent);
    if (!stat) return broken(stat.error());
    // A parent is never younger than its child: the pid has been given to another one meanwhile. This also ends loops
    // that such a pid could make.
    if (stat->start_ticks > born) return broken(Missing::failed);
    finder.meet(*stat);
    parent = stat->parent;
    born = stat->start_ticks;
  }
  return std::move(finder).found();
}

std::vector<std::int64_t> forebears(const ProcessStat& process, const StatOf& stat_of) {
  std::vector<std::int64_t> found;
  ProcessStat child = process;
  while (child.parent > 0 && found.size() < kMostForebears) {
    const auto parent = stat_of(child.parent);
    if (!parent || parent->start_ticks > child.start_ticks) break;
    found.push_back(parent->pid);
    child = *parent;
  }
  return found;
}

}  // namespace gpukeeper

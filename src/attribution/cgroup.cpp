#include "attribution/cgroup.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

using Text = std::string_view;

bool is_hex(Text text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_digits(Text text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Docker, containerd, cri-o and podman draw ids of 64 hexadecimal digits.
bool is_container_id(Text text) {
  return text.size() == 64 && is_hex(text);
}

Text without_suffix(Text text, Text suffix) {
  return text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text;
}

// What stands before a container's id: before its last dash under systemd ("docker-ID.scope"), as the folder above it
// elsewhere ("/docker/ID").
struct Maker {
  Text prefix;
  Text runtime;
};
constexpr Maker kMakers[] = {
    {"docker", "docker"},         {"buildkit", "docker"},    {"cri-containerd", "containerd"},
    {"containerd", "containerd"}, {"nerdctl", "containerd"}, {"k8s.io", "containerd"},
    {"default", "containerd"},    {"crio", "cri-o"},         {"libpod", "podman"},
    {"libpod-payload", "podman"},
};

// conmon waits for a container outside of it.
bool is_monitor(Text prefix) {
  return prefix.ends_with("-conmon");
}

Text runtime_of(Text prefix) {
  const auto maker = std::ranges::find(kMakers, prefix, &Maker::prefix);
  return maker == std::end(kMakers) ? Text("unknown") : maker->runtime;
}

bool is_unit(Text component) {
  return component.ends_with(".service") || component.ends_with(".scope");
}

/// Reads the components of one path from the outermost to the innermost.
class PathReader {
 public:
  ProcessPlace read(Text path) {
    // containerd without systemd's driver on a kubelet with it: "kubepods-burstable-podUID.slice:cri-containerd:ID".
    for (const Text piece : split(path, '/')) {
      for (const Text component : split(piece, ':')) {
        if (component.empty() || component == "..") continue;
        take(component);
        before_ = component;
      }
    }
    return std::move(place_);
  }

 private:
  void take(Text component) {
    if (take_container(component)) return;
    if (component.find("slurm") != Text::npos) slurm_ = true;
    take_pod(component);
    if (slurm_ && component.starts_with("job_") && is_digits(component.substr(4))) {
      place_.slurm_job = std::string(component.substr(4));
    }
    if (is_unit(component)) place_.unit = std::string(component);
  }

  bool take_container(Text component) {
    const Text name = without_suffix(component, ".scope");
    const auto dash = name.rfind('-');
    const Text id = dash == Text::npos ? name : name.substr(dash + 1);
    if (is_container_id(id)) {
      const Text prefix = dash == Text::npos ? before_ : name.substr(0, dash);
      if (!is_monitor(prefix)) place_.container = Container{std::string(runtime_of(prefix)), std::string(id)};
      return true;
    }
    return take_lxc(component);
  }

  // "/lxc/NAME" and "/lxc.payload.NAME" since LXC 4; "/lxc.monitor.NAME" is outside of it.
  bool take_lxc(Text component) {
    constexpr Text kPayload = "lxc.payload.";
    if (component.starts_with(kPayload) && component.size() > kPayload.size()) {
      place_.container = Container{"lxc", std::string(component.substr(kPayload.size()))};
      return true;
    }
    if (before_ == "lxc" || before_ == "lxc.payload") {
      place_.container = Container{"lxc", std::string(component)};
      return true;
    }
    return false;
  }

  // "podUID" without systemd; "kubepods-burstable-podUID.slice" with it, where '_' stands for '-', which systemd takes
  // for a '/'. A static pod's uid is a hash without dashes.
  void take_pod(Text component) {
    const bool slice = component.find("kubepods") != Text::npos && component.ends_with(".slice");
    Text uid;
    if (slice) {
      const auto at = component.rfind("-pod");
      if (at == Text::npos) return;
      uid = without_suffix(component.substr(at + 4), ".slice");
    } else if (component.starts_with("pod")) {
      uid = component.substr(3);
    }
    std::string text(uid);
    std::ranges::replace(text, '_', '-');
    std::string digits = text;
    std::erase(digits, '-');
    if (digits.size() == 32 && is_hex(digits) && (text.size() == 32 || text.size() == 36))
      place_.pod_uid = std::move(text);
  }

  ProcessPlace place_;
  Text before_;
  bool slurm_ = false;
};

// Version 2 and systemd's own hierarchy first: the others may lag behind or be shared.
int rank(Text controllers) {
  if (controllers.empty()) return 0;
  return controllers == "name=systemd" ? 1 : 2;
}

bool better(const std::optional<Container>& candidate, const std::optional<Container>& kept) {
  if (!candidate) return false;
  return !kept || (kept->runtime == "unknown" && candidate->runtime != "unknown");
}

}  // namespace

ProcessPlace parse_cgroup(std::string_view text) {
  struct Line {
    int rank;
    Text path;
  };
  std::vector<Line> found;
  for (const Text line : lines(text)) {
    const auto first = line.find(':');
    const auto second = first == Text::npos ? first : line.find(':', first + 1);
    if (second == Text::npos) continue;
    const Line parsed{rank(line.substr(first + 1, second - first - 1)), line.substr(second + 1)};
    const auto same = std::ranges::find(found, parsed.path, &Line::path);
    if (same == found.end()) {
      found.push_back(parsed);
    } else {
      same->rank = std::min(same->rank, parsed.rank);
    }
  }
  std::ranges::stable_sort(found, {}, &Line::rank);

  ProcessPlace place;
  for (const Line& line : found) {
    ProcessPlace own = PathReader().read(line.path);
    if (better(own.container, place.container)) place.container = std::move(own.container);
    if (!place.pod_uid) place.pod_uid = std::move(own.pod_uid);
    if (!place.slurm_job) place.slurm_job = std::move(own.slurm_job);
    if (!place.unit && line.rank < 2) place.unit = std::move(own.unit);
  }
  return place;
}

}  // namespace gpukeeper

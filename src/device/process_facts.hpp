#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/units.hpp"
#include "device/device.hpp"
#include "device/metric.hpp"

namespace gpukeeper {

/// What kind of work a process does, as far as a rule can tell.
enum class ProcessClass { unknown, mining, ml_training, ml_inference, ml, video, gaming, desktop };

/// "ml_training" and so on, as it stands in JSON. `ml` is machine learning of which it cannot be told whether it trains
/// (a notebook).
std::string_view to_string(ProcessClass kind);

/// The verdict of the classifier, always with what led to it.
struct Classification {
  ProcessClass kind = ProcessClass::unknown;
  std::string rule;       ///< the name of the rule that matched; empty when none did
  std::string reason;     ///< a sentence: "the executable is 'xmrig' and it is given the pool pool.example:3333"
  double confidence = 0;  ///< 0..1, as the rule says
  friend bool operator==(const Classification&, const Classification&) = default;
};

struct Container {
  std::string runtime;  ///< "docker", "containerd", "cri-o", "podman"; "unknown" for an id without a sign of its maker
  std::string id;       ///< the full id, mostly 64 hexadecimal digits
  friend bool operator==(const Container&, const Container&) = default;
};

/// What Kubernetes calls a pod and a container in it, as the kubelet tells.
struct PodNames {
  std::string name_space;
  std::string pod;
  std::string container;  ///< empty where the pod's containers cannot be told apart
  friend auto operator<=>(const PodNames&, const PodNames&) = default;
};

/// "ml/trainer-0".
std::string pod_title(const PodNames& names);

/// Where a process belongs, from its cgroup path. An empty member means: it is known to be in none; but for the names,
/// which the kubelet tells and not always.
struct ProcessPlace {
  std::optional<Container> container;
  std::optional<std::string> pod_uid;    ///< Kubernetes: "5c6a0d3e-…", always with dashes
  std::optional<std::string> unit;       ///< systemd: "ollama.service", "session-3.scope"
  std::optional<std::string> slurm_job;  ///< "4711"
  std::optional<PodNames> pod = {};      ///< only beside pod_uid
  friend bool operator==(const ProcessPlace&, const ProcessPlace&) = default;
};

/// The process from which a person started another one: a login shell, a terminal's shell, a desktop session.
struct InteractiveRoot {
  std::int64_t pid = 0;
  std::string name;      ///< "bash"
  std::string terminal;  ///< "pts/3", "tty1"; empty when it has none
  friend bool operator==(const InteractiveRoot&, const InteractiveRoot&) = default;
};

/// Who a process is. Everything may be absent with its reason: a process of another user, one that has gone meanwhile.
/// Texts are as the kernel gives them, so a name may hold anything: make them harmless before a terminal sees them.
struct ProcessFacts {
  std::int64_t pid = 0;  ///< as its GpuProcess says

  using Text = Metric<std::string>;
  Text user = missing(Missing::not_yet_read);  ///< name; the number where no name is known
  Metric<std::uint32_t> uid = missing(Missing::not_yet_read);
  Text command = missing(Missing::not_yet_read);  ///< the kernel's short name (comm), at most 15 bytes
  /// The arguments, separated by blanks, with every secret in them masked. The unmasked line is kept nowhere.
  Text command_line = missing(Missing::not_yet_read);
  Text executable = missing(Missing::not_yet_read);  ///< path; " (deleted)" stays at its end
  Metric<WallTime> started = missing(Missing::not_yet_read);
  Metric<std::uint64_t> start_ticks = missing(Missing::not_yet_read);  ///< since boot: tells a reused pid
  Metric<Percent> cpu = missing(Missing::not_yet_read);                ///< 100 is one core, so it may exceed 100
  Metric<Bytes> resident = missing(Missing::not_yet_read);
  Metric<ProcessPlace> place = missing(Missing::not_yet_read);
  Metric<std::optional<InteractiveRoot>> root = missing(Missing::not_yet_read);  ///< none: nobody's terminal started it
  Metric<std::int64_t> pid_in_namespace = missing(Missing::not_yet_read);        ///< what it calls itself (NSpid)
  Classification classification;
  /// Its parent, its parent's parent, …, as far as that is known; of a process of this machine only.
  std::vector<std::int64_t> forebears;
  /// The lease under which it says it runs: GPUKEEPER_LEASE of the environment that it was started with. 0 for none,
  /// and where that may not be read.
  std::uint64_t lease = 0;
};

/// Who the processes on the devices are, by device and pid: pids of a simulated or a recorded machine say nothing of
/// this one.
class ProcessTable {
 public:
  using Key = std::pair<DeviceId, std::int64_t>;

  void add(DeviceId device, std::int64_t pid, std::shared_ptr<const ProcessFacts> facts) {
    facts_[Key(std::move(device), pid)] = std::move(facts);
  }
  /// Null when nothing is known of it.
  const ProcessFacts* find(const DeviceId& device, std::int64_t pid) const {
    const auto found = facts_.find(Key(device, pid));
    return found == facts_.end() ? nullptr : found->second.get();
  }
  std::size_t size() const { return facts_.size(); }

 private:
  std::map<Key, std::shared_ptr<const ProcessFacts>> facts_;
};

}  // namespace gpukeeper

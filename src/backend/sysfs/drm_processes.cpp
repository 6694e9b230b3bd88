#include "backend/sysfs/drm_processes.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

constexpr auto kTooOld = std::chrono::seconds(10);  // a scan of a second ago still speaks of now; this one does not

bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_drm_node(std::string_view target) {
  return target.starts_with("/dev/dri/renderD") || target.starts_with("/dev/dri/card");
}

// /proc answers EACCES to those who may not look; a security module may answer EPERM.
bool is_denied(Errc code) {
  return code == Errc::not_permitted || code == Errc::unavailable;
}

Percent share_of(double part, double whole, std::uint32_t capacity) {
  return Percent(std::clamp(100.0 * part / whole / capacity, 0.0, 100.0));
}

double difference(std::uint64_t now, std::uint64_t before) {
  return static_cast<double>(now - before);
}

template <class T>
void keep_highest(std::optional<T>& now, const std::optional<T>& before) {
  if (before && (!now || *now < *before)) now = before;
}

}  // namespace

void EngineShares::add(EngineClass kind, const Metric<Percent>& share) {
  auto& mine = (*this)[kind];
  if (share && mine) {
    mine = Percent(std::min(100.0, mine->value() + share->value()));
  } else if (share || (!mine && share.error() == Missing::not_yet_read)) {
    mine = share;
  }
}

Metric<Percent> EngineShares::busiest() const {
  Metric<Percent> most = missing(Missing::not_supported);
  for (const auto& [share] : shares_) {
    if (share ? !most || *most < *share : !most && share.error() == Missing::not_yet_read) most = share;
  }
  return most;
}

const DrmDevice& DrmScan::device(const PciAddress& address) const {
  static const DrmDevice kNobody;
  const auto found = devices.find(address);
  return found == devices.end() ? kNobody : found->second;
}

// Ends the scanning thread's turn, come what may.
class DrmProcesses::Turn {
 public:
  explicit Turn(DrmProcesses& owner) : owner_(owner) {}
  ~Turn() {
    {
      std::scoped_lock lock(owner_.turn_mutex_);
      owner_.scanning_ = false;
      ++owner_.finished_;
    }
    owner_.turn_over_.notify_all();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  DrmProcesses& owner_;
};

// What one scan gathers: each client once, its use by process and device.
struct DrmProcesses::Totals {
  DrmScan scan;
  std::set<std::string> seen;
  std::map<std::pair<PciAddress, std::int64_t>, DrmProcess> processes;
};

DrmProcesses::DrmProcesses(const Files& files, const Clock& clock, Options options)
    : files_(files), clock_(clock), options_(options) {}

std::shared_ptr<const DrmScan> DrmProcesses::scan() {
  {
    std::unique_lock lock(turn_mutex_);
    if (scanning_ && finished_ == 0) {
      turn_over_.wait_for(lock, options_.patience, [this] { return !scanning_; });
    }
    auto last = last_.read();
    const auto age = clock_.now() - last->taken_at;
    if (scanning_ && finished_ > 0 && age >= kTooOld) {
      auto stuck = std::make_shared<DrmScan>();
      stuck->error.message = "the kernel does not finish telling about the processes: a GPU driver hangs";
      return stuck;
    }
    if (scanning_ || (finished_ > 0 && age < options_.period)) return last;
    scanning_ = true;
  }
  // No lock is held from here on: it may take long, or for ever.
  const Turn turn(*this);
  auto next = std::make_shared<const DrmScan>(look());
  last_.publish(next);
  return next;
}

DrmScan DrmProcesses::look() {
  Totals totals;
  totals.scan.taken_at = clock_.now();
  if (!indexed_ || totals.scan.taken_at - indexed_at_ >= options_.index_period) {
    if (!rebuild_index(totals.scan)) return std::move(totals.scan);
  }
  totals.scan.valid = true;
  totals.scan.hidden = hidden_;
  for (auto& [pid, process] : known_) {
    if (process.kfd) totals.scan.kfd_pids.insert(pid);
    read_process(pid, process, totals);
  }
  totals.scan.complete = totals.scan.hidden == 0;
  // A client that is gone may come back under another id only: forget it.
  std::erase_if(samples_, [&](const auto& entry) { return !totals.seen.contains(entry.first); });

  for (auto& [place, process] : totals.processes) {
    DrmDevice& device = totals.scan.devices[place.first];
    device.device_memory = device.device_memory + process.device_memory;
    device.system_memory = device.system_memory + process.system_memory;
    for (std::size_t i = 0; i < kEngineClasses; ++i) {
      const auto kind = static_cast<EngineClass>(i);
      device.busy.add(kind, process.busy[kind]);
    }
    device.processes.push_back(std::move(process));
  }
  return std::move(totals.scan);
}

bool DrmProcesses::rebuild_index(DrmScan& scan) {
  const auto names = files_.list("/proc");
  if (!names) {
    scan.error = names.error().code == Errc::not_found
                     ? Error{Errc::not_supported, "the processes are not known: there is no /proc here"}
                     : names.error();
    return false;
  }
  std::map<std::int64_t, KnownProcess> found;
  hidden_ = 0;
  for (const auto& name : *names) {
    if (!is_number(name)) continue;
    const auto pid = *parse_i64(name);
    if (pid == options_.own_pid) continue;
    KnownProcess process;
    index_process(pid, process);
    if (process.descriptors.empty() && !process.kfd) continue;
    const auto comm = files_.read(fmt::format("/proc/{}/comm", pid));
    if (comm) process.name = std::string(trim(*comm));
    found.emplace(pid, std::move(process));
  }
  known_ = std::move(found);
  indexed_ = true;
  indexed_at_ = scan.taken_at;
  return true;
}

void DrmProcesses::index_process(std::int64_t pid, KnownProcess& process) {
  const std::string folder = fmt::format("/proc/{}/fd", pid);
  const auto descriptors = files_.list(folder);
  if (!descriptors) {
    if (is_denied(descriptors.error().code)) ++hidden_;
    return;
  }
  bool denied = false;
  for (const auto& descriptor : *descriptors) {
    if (!is_number(descriptor)) continue;
    const auto target = files_.read_link(fmt::format("{}/{}", folder, descriptor));
    if (!target) {
      denied = denied || is_denied(target.error().code);
      continue;
    }
    if (*target == "/dev/kfd") process.kfd = true;
    if (is_drm_node(*target)) process.descriptors.emplace(*parse_u64(descriptor), std::string());
  }
  if (denied) ++hidden_;
}

void DrmProcesses::read_process(std::int64_t pid, KnownProcess& process, Totals& totals) {
  bool denied = false;
  for (auto& [descriptor, known_key] : process.descriptors) {
    // A descriptor of a client that was read already in this scan has nothing new. Should the one that was read close,
    // this one takes its place in the next scan.
    if (!known_key.empty() && totals.seen.contains(known_key)) continue;
    const auto text = files_.read(fmt::format("/proc/{}/fdinfo/{}", pid, descriptor));
    if (!text) {
      denied = denied || is_denied(text.error().code);
      continue;
    }
    const auto client = parse_fdinfo(*text);
    if (!client || !client->is_gpu()) continue;
    const auto address = PciAddress::parse(client->pdev);
    if (!address) continue;
    known_key = client->client_id ? fmt::format("{} {}", client->pdev, *client->client_id)
                                  : fmt::format("{} of {}/{}", client->pdev, pid, descriptor);
    if (!totals.seen.insert(known_key).second) continue;

    DrmProcess& use = totals.processes[{*address, pid}];
    use.pid = pid;
    use.name = process.name;
    use.type.compute = use.type.compute || process.kfd;
    totals.scan.devices[*address].driver = client->driver;
    for (const DrmMemory& memory : client->memory) {
      use.has_memory = true;
      Bytes& sum = is_device_memory(memory.region) ? use.device_memory : use.system_memory;
      sum = sum + memory.used();
    }
    const Sample& now = sample(known_key, *client);
    for (const DrmEngine& engine : now.engines) {
      const auto kind = engine_class(engine.name);
      const auto share = now.shares.find(engine.name);
      use.busy.add(kind, share == now.shares.end() ? Metric<Percent>(missing(Missing::not_yet_read)) : share->second);
      const bool worked = (engine.busy && engine.busy->count() > 0) || engine.cycles.value_or(0) > 0;
      if (worked && kind == EngineClass::compute) use.type.compute = true;
      if (worked && kind == EngineClass::render) use.type.graphics = true;
    }
  }
  if (denied) ++totals.scan.hidden;
}

const DrmProcesses::Sample& DrmProcesses::sample(const std::string& key, const DrmClient& client) {
  Sample& sample = samples_[key];
  const auto now = clock_.now();
  const bool first = sample.at == MonotonicTime{};
  std::vector<DrmEngine> engines = client.engines;
  for (DrmEngine& engine : engines) {
    const auto before = std::find_if(sample.engines.begin(), sample.engines.end(),
                                     [&](const DrmEngine& old) { return old.name == engine.name; });
    if (first || before == sample.engines.end()) continue;
    // Counters that went backwards (a reset, a client that moved) stay at their maximum: no negative work.
    keep_highest(engine.busy, before->busy);
    keep_highest(engine.cycles, before->cycles);
    keep_highest(engine.total_cycles, before->total_cycles);
    const double passed = static_cast<double>(std::chrono::nanoseconds(now - sample.at).count());
    if (engine.busy && before->busy && passed > 0) {
      const auto spent = static_cast<double>((*engine.busy - *before->busy).count());
      sample.shares.insert_or_assign(engine.name, share_of(spent, passed, engine.capacity));
    } else if (engine.cycles && before->cycles && engine.total_cycles && before->total_cycles) {
      const double all = difference(*engine.total_cycles, *before->total_cycles);
      // No cycle passed: the engine was off, and did nothing.
      const double spent = difference(*engine.cycles, *before->cycles);
      sample.shares.insert_or_assign(engine.name, all > 0 ? share_of(spent, all, engine.capacity) : Percent(0));
    }
  }
  sample.at = now;
  sample.engines = std::move(engines);
  return sample;
}

GpuProcess to_gpu_process(const DrmProcess& process, bool unified) {
  GpuProcess result;
  result.pid = process.pid;
  result.found_in_proc = true;
  result.name = process.name;
  result.type = process.type;
  if (process.has_memory) {
    result.memory = unified ? process.device_memory + process.system_memory : process.device_memory;
  }
  result.utilization = process.busy.busiest();
  result.utilization_encoder = process.busy[EngineClass::encode];
  result.utilization_decoder = process.busy[EngineClass::decode];
  return result;
}

Result<std::vector<GpuProcess>> drm_processes_of(const DrmScan& scan, const PciAddress& address, bool unified) {
  if (!scan.valid) return tl::make_unexpected(scan.error);
  const DrmDevice& device = scan.device(address);
  if (device.processes.empty() && !scan.complete) {
    return fail(
        Errc::not_permitted,
        fmt::format("list the processes on {}: {} could not be looked at: run as root, or grant CAP_SYS_PTRACE "
                    "(setcap cap_sys_ptrace+ep gpukeeper)",
                    address.to_string(), scan.hidden == 1 ? "1 process" : fmt::format("{} processes", scan.hidden)));
  }
  std::vector<GpuProcess> result;
  result.reserve(device.processes.size());
  for (const DrmProcess& process : device.processes) result.push_back(to_gpu_process(process, unified));
  return result;
}

}  // namespace gpukeeper

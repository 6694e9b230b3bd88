#include "backend/sysfs/drm_sweep.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

constexpr int kRest = 100;  // times as long as the reading took, so that it takes 1 % at most

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

// A client's name over all devices and processes: the same open file has it in every process that shares it.
std::string key_of(const DrmClient& client, std::int64_t pid, std::uint64_t descriptor) {
  return client.client_id ? fmt::format("{} {}", client.pdev, *client.client_id)
                          : fmt::format("{} of {}/{}", client.pdev, pid, descriptor);
}

}  // namespace

// What one look gathers: each client once, its use by process and device.
struct DrmSweep::Totals {
  DrmScan scan;
  std::set<std::string> seen;
  std::map<std::pair<PciAddress, std::int64_t>, DrmProcess> processes;

  void add_up();
};

// The devices' sums and lists.
void DrmSweep::Totals::add_up() {
  for (auto& [place, process] : processes) {
    DrmDevice& device = scan.devices[place.first];
    device.device_memory = device.device_memory + process.device_memory;
    device.system_memory = device.system_memory + process.system_memory;
    for (std::size_t i = 0; i < kEngineClasses; ++i) {
      const auto kind = static_cast<EngineClass>(i);
      device.busy.add(kind, process.busy[kind]);
    }
    device.processes.push_back(std::move(process));
  }
}

DrmSweep::DrmSweep(const Files& files, const Clock& clock, Options options)
    : files_(files), clock_(clock), options_(options), holders_(files, clock, options.holders) {}

DrmScan DrmSweep::look(std::stop_token stop) {
  Totals totals;
  DrmScan& scan = totals.scan;
  const auto updated = holders_.update(stop);
  const auto begin = clock_.now();
  scan.taken_at = begin;
  if (!updated) {
    scan.error = updated.error();
    due_ = begin + options_.period;
    return std::move(scan);
  }
  scan.valid = true;
  scan.hidden = holders_.hidden();
  scan.others_unlisted = holders_.others_unlisted();
  scan.unseen = holders_.unseen();
  for (auto& [pid, holder] : holders_.holders()) {
    if (stop.stop_requested()) break;
    if (holder.kfd) scan.kfd_pids.insert(pid);
    read_process(pid, holder, totals);
  }
  scan.complete = scan.hidden == 0 && !scan.others_unlisted && scan.unseen == 0;
  // A client that is gone may come back under another id only: forget it.
  std::erase_if(samples_, [&](const auto& entry) { return !totals.seen.contains(entry.first); });
  totals.add_up();

  const auto rest = std::max(options_.period, std::min(options_.longest, kRest * (clock_.now() - begin)));
  due_ = scan.unseen > 0 ? begin : begin + rest;  // the first walk goes on at once
  return std::move(scan);
}

void DrmSweep::read_process(std::int64_t pid, DrmHolder& holder, Totals& totals) {
  bool denied = false;
  for (auto& [descriptor, known_key] : holder.descriptors) {
    // A descriptor of a client that was read already in this look has nothing new. Should the one that was read close,
    // this one takes its place in the next look.
    if (!known_key.empty() && totals.seen.contains(known_key)) continue;
    const auto text = files_.read(fmt::format("/proc/{}/fdinfo/{}", pid, descriptor));
    if (!text) {
      // EACCES, or EPERM where a security module answers.
      denied = denied || text.error().code == Errc::not_permitted || text.error().code == Errc::unavailable;
      continue;
    }
    const auto client = parse_fdinfo(*text);
    if (!client || !client->is_gpu()) continue;
    const auto address = PciAddress::parse(client->pdev);
    if (!address) continue;
    auto key = key_of(*client, pid, descriptor);
    // Another client under the same number: the process runs another program now, or the pid is another process's.
    if (!known_key.empty() && known_key != key) holder.name = holders_.name(pid);
    known_key = std::move(key);
    if (!totals.seen.insert(known_key).second) continue;

    DrmProcess& use = totals.processes[{*address, pid}];
    use.pid = pid;
    use.name = holder.name;
    use.type.compute = use.type.compute || holder.kfd;
    totals.scan.devices[*address].driver = client->driver;
    add_client(*client, sample(known_key, *client), use);
  }
  if (denied) ++totals.scan.hidden;
}

void DrmSweep::add_client(const DrmClient& client, const Sample& now, DrmProcess& use) {
  for (const DrmMemory& memory : client.memory) {
    use.has_memory = true;
    Bytes& sum = is_device_memory(memory.region) ? use.device_memory : use.system_memory;
    sum = sum + memory.used();
  }
  for (const DrmEngine& engine : now.engines) {
    const auto kind = engine_class(engine.name);
    const auto share = now.shares.find(engine.name);
    use.busy.add(kind, share == now.shares.end() ? Metric<Percent>(missing(Missing::not_yet_read)) : share->second);
    const bool worked = (engine.busy && engine.busy->count() > 0) || engine.cycles.value_or(0) > 0;
    if (worked && kind == EngineClass::compute) use.type.compute = true;
    if (worked && kind == EngineClass::render) use.type.graphics = true;
  }
}

const DrmSweep::Sample& DrmSweep::sample(const std::string& key, const DrmClient& client) {
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

}  // namespace gpukeeper

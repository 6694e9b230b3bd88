#include "backend/nvml/process_reader.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "backend/nvml/codes.hpp"

namespace gpukeeper::nvml {

using namespace abi;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kLongestEntry = sizeof(ProcessDetail);
constexpr std::size_t kSlack = 16;              // entries: lists grow between two calls
constexpr std::uint32_t kMostPid = 4'194'304;   // PID_MAX_LIMIT of 64-bit Linux
constexpr std::size_t kMostProcesses = 65'536;  // a count above it is garbage
constexpr auto kKindCheck = 30s;
constexpr std::uint64_t kSampleWindow = 5'000'000;  // µs; older samples in the driver's buffer speak of the past
constexpr std::uint32_t kMostShare = 200;           // overshoot is real, what lies far above it is garbage (nvtop#110)
constexpr auto kSamplePeriod = 2s;                  // twice the longest that nvml.h allows between two samples

ProcessType operator|(ProcessType a, ProcessType b) {
  return {a.compute || b.compute, a.graphics || b.graphics, a.mps || b.mps};
}

bool plausible(const ProcessSample& sample) {
  return sample.pid != 0 && sample.pid <= kMostPid && sample.sm <= kMostShare && sample.memory <= kMostShare &&
         sample.encoder <= kMostShare && sample.decoder <= kMostShare;
}

Percent share(std::uint32_t value) {
  return Percent(std::min(100.0, static_cast<double>(value)));
}

}  // namespace

// Understands `count` entries in the buffer. A driver that writes longer entries than its function promises is found
// out by pids that cannot be.
void ProcessReader::decode(std::size_t entry_size, std::size_t count) {
  const auto valid = [&](std::size_t size) {
    for (std::size_t i = 0; i < count; ++i) {
      std::uint32_t pid = 0;
      std::memcpy(&pid, buffer_.data() + i * size, sizeof pid);
      if (pid == 0 || pid > kMostPid) return false;
    }
    return true;
  };
  if (entry_size >= sizeof(ProcessInfo2) && !valid(entry_size)) {
    const std::size_t other = entry_size == sizeof(ProcessInfo2) ? sizeof(ProcessDetail) : sizeof(ProcessInfo2);
    if (valid(other)) entry_size = other;
  }
  fetched_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    ProcessDetail detail{0, kNotAvailable, kNoInstance, kNoInstance, 0};
    std::memcpy(&detail, buffer_.data() + i * entry_size, std::min(entry_size, sizeof detail));
    if (detail.pid == 0 || detail.pid > kMostPid) continue;
    fetched_.push_back({detail.pid, detail.memory, detail.gpu_instance, detail.compute_instance, nullptr});
  }
}

Code ProcessReader::fetch(Session& session, const Library::ProcessList& list, Handle handle, CallBudget& budget) {
  fetched_.clear();
  if (!list.function) return kFunctionNotFound;
  for (int attempt = 0; attempt < 3; ++attempt) {
    // Always room for the longest entries, whatever the function promises.
    buffer_.assign((capacity_ + kSlack) * kLongestEntry, std::byte{0});
    unsigned count = static_cast<unsigned>(capacity_);
    budget.spend(1);
    const Code code = session.call(list.function, handle, &count, static_cast<void*>(buffer_.data()));
    if (code == kSuccess) {
      decode(list.entry_size, std::min<std::size_t>(count, capacity_));
      return code;
    }
    if (code != kInsufficientSize || count <= capacity_ || count > kMostProcesses) return code;
    capacity_ = count + kSlack;
  }
  return kInsufficientSize;
}

Code ProcessReader::fetch_details(Session& session, Handle handle, CallBudget& budget) {
  fetched_.clear();
  if (!session.library().process_details) return kFunctionNotFound;
  for (int attempt = 0; attempt < 3; ++attempt) {
    buffer_.assign((capacity_ + kSlack) * kLongestEntry, std::byte{0});
    ProcessDetailList list{version_word<ProcessDetailList>(1), kAllProcesses, static_cast<std::uint32_t>(capacity_),
                           reinterpret_cast<ProcessDetail*>(buffer_.data())};
    budget.spend(1);
    const Code code = session.call(session.library().process_details, handle, &list);
    if (code == kSuccess) {
      decode(sizeof(ProcessDetail), std::min<std::size_t>(list.count, capacity_));
      return code;
    }
    if (code != kInsufficientSize || list.count <= capacity_ || list.count > kMostProcesses) return code;
    capacity_ = list.count + kSlack;
  }
  return kInsufficientSize;
}

// Appends the processes of one handle to listed_.
Code ProcessReader::fetch_all(Session& session, Handle handle, CallBudget& budget, MonotonicTime now,
                              const DeviceId* partition) {
  const auto keep = [&](ProcessType type) {
    for (Entry& entry : fetched_) {
      entry.partition = partition;
      listed_.push_back({entry, type});
    }
  };
  if (details_ && !partition) {
    const Code code = fetch_details(session, handle, budget);
    if (code == kSuccess) {
      const auto known = [&](const Entry& entry) {
        return std::any_of(kinds_.begin(), kinds_.end(), [&](const auto& kind) { return kind.first == entry.pid; });
      };
      keep({});
      if (now - kinds_at_ < kKindCheck && std::all_of(fetched_.begin(), fetched_.end(), known)) return code;
    } else if (never_there(code) || code == kInvalidArgument) {
      details_ = false;
    } else {
      return code;
    }
  }

  const Library& library = session.library();
  const std::pair<const Library::ProcessList*, ProcessType> lists[] = {
      {&library.compute_processes, {.compute = true}},
      {&library.graphics_processes, {.graphics = true}},
      {&library.mps_processes, {.mps = true}},
  };
  const bool complete = details_ && !partition;  // only their kinds are missing
  Code outcome = complete ? kSuccess : kNotSupported;
  for (const auto& [list, type] : lists) {
    const Code code = fetch(session, *list, handle, budget);
    if (code == kSuccess) {
      keep(type);
      outcome = kSuccess;
    } else if (is_trouble(code)) {
      return code;
    } else if (outcome != kSuccess && !never_there(code)) {
      outcome = code;
    }
  }
  if (complete) {
    kinds_.clear();
    for (const Listed& item : listed_) {
      const auto same =
          std::find_if(kinds_.begin(), kinds_.end(), [&](const auto& kind) { return kind.first == item.entry.pid; });
      if (same == kinds_.end()) {
        kinds_.emplace_back(item.entry.pid, item.type);
      } else {
        same->second = same->second | item.type;
      }
    }
    kinds_at_ = now;
  }
  return outcome;
}

ProcessReader::Outcome ProcessReader::read(Session& session, Handle device,
                                           const std::vector<ProcessPartition>& partitions, CallBudget& budget,
                                           MonotonicTime now, std::vector<GpuProcess>& result) {
  constexpr std::string_view kFunction = "nvmlDeviceGetComputeRunningProcesses";
  listed_.clear();
  result.clear();
  Code code = fetch_all(session, device, budget, now, nullptr);
  // Without privileges a device split by MIG tells nothing of its instances; each of them may be asked itself.
  if (code != kSuccess && !is_trouble(code) && !partitions.empty()) {
    for (const ProcessPartition& partition : partitions) {
      const Code own = fetch_all(session, partition.handle, budget, now, &partition.id);
      if (own == kSuccess) code = kSuccess;
      if (ends_session(own) || loses_device(own)) return {own, kFunction};
    }
  }
  if (code != kSuccess) return {code, kFunction};

  std::stable_sort(listed_.begin(), listed_.end(),
                   [](const Listed& a, const Listed& b) { return a.entry.pid < b.entry.pid; });
  result.reserve(listed_.size());
  // Every list gives all that a process holds, so the same process in two lists counts once; in two MIG instances it
  // holds both.
  std::vector<std::pair<const DeviceId*, std::uint64_t>> held;  // by the process at hand, by instance
  for (std::size_t i = 0; i < listed_.size(); ++i) {
    const Entry& entry = listed_[i].entry;
    const DeviceId* partition = entry.partition;
    if (!partition && entry.gpu_instance != kNoInstance) {
      const auto match = std::find_if(partitions.begin(), partitions.end(), [&](const ProcessPartition& p) {
        return p.gpu_instance == entry.gpu_instance &&
               (entry.compute_instance == kNoInstance || p.compute_instance == entry.compute_instance);
      });
      if (match != partitions.end()) partition = &match->id;
    }
    if (result.empty() || result.back().pid != entry.pid) {
      GpuProcess process;
      process.pid = entry.pid;
      process.name = names_.name(entry.pid, now);
      const auto kind =
          std::find_if(kinds_.begin(), kinds_.end(), [&](const auto& k) { return details_ && k.first == entry.pid; });
      if (kind != kinds_.end()) process.type = kind->second;
      if (partition) process.partition = *partition;
      result.push_back(std::move(process));
      held.clear();
    }
    GpuProcess& process = result.back();
    process.type = process.type | listed_[i].type;
    if (entry.memory == kNotAvailable) continue;
    const auto here = std::find_if(held.begin(), held.end(), [&](const auto& item) { return item.first == partition; });
    if (here == held.end()) {
      held.emplace_back(partition, entry.memory);
    } else {
      here->second = std::max(here->second, entry.memory);
    }
    std::uint64_t sum = 0;
    for (const auto& item : held) sum += item.second;
    process.memory = Bytes(sum);
  }
  names_.sweep();

  const Code utilization = add_utilization(session, device, budget, now, result);
  if (ends_session(utilization) || loses_device(utilization)) return {utilization, "nvmlDeviceGetProcessUtilization"};
  return {};
}

Code ProcessReader::add_utilization(Session& session, Handle device, CallBudget& budget, MonotonicTime now,
                                    std::vector<GpuProcess>& result) {
  const auto set_all = [&](const Metric<Percent>& value) {
    for (GpuProcess& process : result) {
      process.utilization = process.utilization_memory = process.utilization_encoder = process.utilization_decoder =
          value;
    }
  };
  if (!utilization_) return kNotSupported;
  if (result.empty()) return kSuccess;  // nothing to attribute it to
  unsigned count = 0;
  Code code = kInsufficientSize;
  if (samples_.size() < result.size() + kSlack) samples_.resize(2 * result.size() + kSlack);
  for (int attempt = 0; attempt < 3 && code == kInsufficientSize; ++attempt) {
    count = static_cast<unsigned>(samples_.size());
    if (session.library().process_utilization) budget.spend(1);
    code = session.call(session.library().process_utilization, device, samples_.data(), &count,
                        static_cast<unsigned long long>(newest_sample_));
    if (code != kInsufficientSize) break;
    if (count > kMostProcesses) return code;
    samples_.resize(std::max<std::size_t>(count, samples_.size()) + kSlack);
  }
  if (code == kNotFound) count = 0;
  if (code != kSuccess && code != kNotFound) {
    if (never_there(code)) utilization_ = false;
    set_all(missing(missing_from(code)));
    return code;
  }
  // The driver returns a sample for every process that was not idle: none means idle (nvml.h,
  // nvmlDeviceGetProcessUtilization).
  set_all(Percent(0));
  count = std::min(count, static_cast<unsigned>(samples_.size()));
  // What is garbage in one member is so in its time, too: it must not make all that follows look old.
  const auto end = std::partition(samples_.begin(), samples_.begin() + count, plausible);
  count = static_cast<unsigned>(end - samples_.begin());
  const std::uint64_t since = newest_sample_;
  for (unsigned i = 0; i < count; ++i) newest_sample_ = std::max(newest_sample_, samples_[i].timestamp);
  const auto fresh = [&](const ProcessSample& sample) {
    return sample.timestamp > since && sample.timestamp + kSampleWindow >= newest_sample_;
  };
  // The driver samples once in up to a second: asked again sooner it has nothing new, and what it said still holds.
  if (std::any_of(samples_.begin(), samples_.begin() + count, fresh) || now - kept_at_ >= kSamplePeriod) {
    kept_.clear();
    std::copy_if(samples_.begin(), samples_.begin() + count, std::back_inserter(kept_), fresh);
    std::stable_sort(kept_.begin(), kept_.end(),
                     [](const ProcessSample& a, const ProcessSample& b) { return a.timestamp < b.timestamp; });
    kept_at_ = now;
  }
  for (const ProcessSample& sample : kept_) {
    const auto at = std::lower_bound(result.begin(), result.end(), static_cast<std::int64_t>(sample.pid),
                                     [](const GpuProcess& process, std::int64_t pid) { return process.pid < pid; });
    if (at == result.end() || at->pid != static_cast<std::int64_t>(sample.pid)) continue;
    at->utilization = share(sample.sm);
    at->utilization_memory = share(sample.memory);
    at->utilization_encoder = share(sample.encoder);
    at->utilization_decoder = share(sample.decoder);
  }
  return kSuccess;
}

}  // namespace gpukeeper::nvml

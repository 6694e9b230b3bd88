#include "telemetry/sampler.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <optional>
#include <tuple>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace gpukeeper {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

namespace {

constexpr int kErrorsUntilUnavailable = 3;
constexpr nanoseconds kFirstPause = 1s;
constexpr nanoseconds kLongestPause = 30s;

nanoseconds pause_after(int failures) {
  return failures >= 6 ? kLongestPause : std::min(kLongestPause, kFirstPause * (1 << std::max(0, failures - 1)));
}

std::string in_words(nanoseconds time) {
  return time >= 1s ? fmt::format("{} s", std::chrono::duration_cast<std::chrono::seconds>(time).count())
                    : fmt::format("{} ms", std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

/// A task and how long its device usually takes: the longest of late, forgotten slowly.
struct TimedTask : Task {
  nanoseconds typical{0};
  bool in_flight = false;  // belongs to the sampler's thread
  MonotonicTime started{};

  void run() final {
    const auto begin = std::chrono::steady_clock::now();
    // Sources tell their errors; what one throws (no memory, a mistake of ours) must not end a thread and the program.
    try {
      work();
    } catch (const std::exception& error) {
      broke({Errc::internal, fmt::format("gpukeeper itself fails here: {}", error.what())});
    }
    took = std::chrono::steady_clock::now() - begin;
  }
  virtual void work() = 0;
  virtual void broke(Error error) = 0;

  /// To be called once when the task has ended. What hung is no measure of what to wait for: the next hang would
  /// hold up a tick for the whole deadline.
  void landed(nanoseconds deadline) {
    in_flight = false;
    if (took < deadline) {
      typical = std::max(took, typical - typical / 8);
    } else if (typical == 0ns) {
      typical = 1ns;  // then only the slack is granted
    }
  }

  nanoseconds took{0};
};

auto pci_order(const Device& device) {
  return std::tuple(!device.pci.has_value(), device.pci.value_or(PciAddress{}), device.id);
}

}  // namespace

struct Sampler::ListTask : TimedTask {
  explicit ListTask(std::shared_ptr<Backend> b) : backend(std::move(b)) {}
  void work() override { result = backend->list(); }
  void broke(Error error) override { result = tl::make_unexpected(std::move(error)); }

  const std::shared_ptr<Backend> backend;
  Result<std::vector<Device>> result = std::vector<Device>{};
};

// A device and its partitions are read by one task: they share a driver lock and a fate.
struct Sampler::ReadTask : TimedTask {
  explicit ReadTask(std::shared_ptr<Backend> b) : backend(std::move(b)) {}
  void work() override {
    results.clear();
    for (const DeviceId& id : ids) {
      results.push_back(backend->read(id));
      if (!results.front()) break;  // a device that cannot be read has no readable partitions
    }
  }
  void broke(Error error) override { results.assign(1, tl::make_unexpected(std::move(error))); }

  const std::shared_ptr<Backend> backend;
  std::vector<DeviceId> ids;  // the device, then its partitions
  std::vector<Result<Reading>> results;
};

struct Sampler::ProcessTask : TimedTask {
  explicit ProcessTask(std::shared_ptr<Backend> b) : backend(std::move(b)) {}
  void work() override { result = backend->processes(id); }
  void broke(Error error) override { result = tl::make_unexpected(std::move(error)); }

  const std::shared_ptr<Backend> backend;
  DeviceId id;
  Result<std::vector<GpuProcess>> result = std::vector<GpuProcess>{};
};

struct Sampler::EventTask : TimedTask {
  explicit EventTask(std::shared_ptr<EventSource> s) : source(std::move(s)) {}
  void work() override { result = source->take_events(); }
  void broke(Error error) override { result = tl::make_unexpected(std::move(error)); }

  const std::shared_ptr<EventSource> source;
  Result<std::vector<DeviceEvent>> result = std::vector<DeviceEvent>{};
};

struct Sampler::Events {
  std::shared_ptr<EventTask> task;
  EventSourceStatus status;
};

struct Sampler::Source {
  std::shared_ptr<Backend> backend;
  std::shared_ptr<ListTask> list;
  bool answered = false;  // at least once
  MonotonicTime next_list{};
  SourceStatus status;
};

struct Sampler::Entry {
  struct Partition {
    std::shared_ptr<const Device> device;
    Reading reading;
    std::string reason = "not read yet";
    bool available = false;
  };

  std::size_t source;
  std::shared_ptr<const Device> device;
  std::vector<Partition> partitions;
  bool present = true;

  std::shared_ptr<ReadTask> read;
  Reading reading;
  std::optional<WallTime> read_at;
  bool available = false;
  std::string reason = "not read yet";
  bool hanging = false;
  int hangs = 0;   // in a row
  int errors = 0;  // in a row
  MonotonicTime retry_at{};

  std::shared_ptr<ProcessTask> process_task;
  MonotonicTime next_processes{};
  std::shared_ptr<const std::vector<GpuProcess>> processes = std::make_shared<const std::vector<GpuProcess>>();
  std::string processes_reason;

  void make_unavailable(Missing why, std::string sentence) {
    available = false;
    reading = Reading{why};
    reason = std::move(sentence);
    forget_processes(reason);
    for (Partition& partition : partitions) {
      partition.available = false;
      partition.reading = Reading{why};
      partition.reason = reason;
    }
  }

  void forget_processes(std::string why) {
    if (!processes->empty()) processes = std::make_shared<const std::vector<GpuProcess>>();
    processes_reason = std::move(why);
  }
};

Sampler::Sampler(std::vector<std::shared_ptr<Backend>> backends, Clock& clock, Runner& runner, Published<Snapshot>& out,
                 SamplerOptions options)
    : Sampler(std::move(backends), {}, clock, runner, out, std::move(options)) {}

Sampler::Sampler(std::vector<std::shared_ptr<Backend>> backends, std::vector<std::shared_ptr<EventSource>> events,
                 Clock& clock, Runner& runner, Published<Snapshot>& out, SamplerOptions options)
    : clock_(clock), runner_(runner), out_(out), options_(std::move(options)) {
  for (auto& source : events) {
    auto made = std::make_unique<Events>();
    made->status = {.name = std::string(source->name()), .available = false, .message = "not asked yet"};
    made->task = std::make_shared<EventTask>(std::move(source));
    events_.push_back(std::move(made));
  }
  for (auto& backend : backends) {
    auto source = std::make_unique<Source>();
    source->list = std::make_shared<ListTask>(backend);
    source->status.name = backend->name();
    source->status.message = "not listed yet";
    source->backend = std::move(backend);
    sources_.push_back(std::move(source));
  }
}

Sampler::~Sampler() = default;

void Sampler::run(std::stop_token stop) {
  auto due = clock_.now();
  while (!stop.stop_requested()) {
    tick();
    due = std::max(due + options_.period, clock_.now());
    clock_.sleep_until(due, stop);
  }
}

void Sampler::tick() {
  runner_.settle();
  harvest();
  if (sequence_ == 0) list_first_time();
  std::vector<std::shared_ptr<Task>> tasks;
  tasks.reserve(2 * entries_.size() + sources_.size());
  start_reads(tasks);
  start_lists(tasks);
  start_events(tasks);
  runner_.run(tasks);
  harvest();
  publish();
}

// What a tick waits for: as long as it usually takes, twice over; for what never ran, the whole deadline.
nanoseconds Sampler::patience(nanoseconds typical) const {
  return typical == 0ns ? options_.deadline : std::min(options_.deadline, 2 * typical + options_.slack);
}

void Sampler::list_first_time() {
  std::vector<std::shared_ptr<Task>> tasks;
  for (const auto& source : sources_) {
    source->list->patience = options_.first_list_deadline;
    source->list->in_flight = true;
    source->list->started = clock_.now();
    tasks.push_back(source->list);
  }
  runner_.run(tasks);
  harvest();
}

void Sampler::start_lists(std::vector<std::shared_ptr<Task>>& tasks) {
  const auto now = clock_.now();
  for (const auto& source : sources_) {
    if (source->list->in_flight || now < source->next_list) continue;
    source->list->patience = patience(source->list->typical);
    source->list->in_flight = true;
    source->list->started = now;
    tasks.push_back(source->list);
  }
}

void Sampler::start_reads(std::vector<std::shared_ptr<Task>>& tasks) {
  const auto now = clock_.now();
  for (const auto& entry : entries_) {
    if (!entry->present) continue;
    const bool read = !entry->read->in_flight && now >= entry->retry_at;
    if (read) {
      entry->read->ids.assign(1, entry->device->id);
      for (const auto& partition : entry->partitions) entry->read->ids.push_back(partition.device->id);
      entry->read->patience = patience(entry->read->typical);
      entry->read->in_flight = true;
      entry->read->started = now;
      tasks.push_back(entry->read);
    }
    // A device that is not read now is not asked for its processes either: they would go through the same driver.
    const bool idle = entry->reading.attention != Attention::awake || entry->hanging || entry->errors > 0;
    if (!options_.processes || !read || idle || entry->process_task->in_flight || now < entry->next_processes) continue;
    entry->process_task->id = entry->device->id;
    entry->process_task->patience = patience(entry->process_task->typical);
    entry->process_task->in_flight = true;
    entry->process_task->started = now;
    entry->next_processes = now + options_.process_period;
    tasks.push_back(entry->process_task);
  }
}

void Sampler::start_events(std::vector<std::shared_ptr<Task>>& tasks) {
  for (const auto& events : events_) {
    if (events->task->in_flight) continue;
    events->task->patience = patience(events->task->typical);
    events->task->in_flight = true;
    events->task->started = clock_.now();
    tasks.push_back(events->task);
  }
}

void Sampler::harvest_events() {
  for (const auto& events : events_) {
    EventTask& task = *events->task;
    if (!task.in_flight) continue;
    if (task.done()) {
      task.landed(options_.deadline);
      events->status.available = task.result.has_value();
      events->status.message = task.result ? "" : task.result.error().message;
      if (task.result) std::ranges::move(*task.result, std::back_inserter(reported_));
    } else if (clock_.now() - task.started >= options_.deadline) {
      events->status.available = false;
      events->status.message =
          fmt::format("it did not answer within {} when asked for events; it is asked again when it does",
                      in_words(options_.deadline));
    }
  }
}

void Sampler::harvest() {
  harvest_events();
  const auto now = clock_.now();
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    Source& source = *sources_[i];
    if (!source.list->in_flight) continue;
    if (source.list->done()) {
      source.list->landed(options_.deadline);
      source.answered = true;
      source.next_list = now + options_.list_period;
      adopt_list(i);
    } else if (const auto waited = now - source.list->started;
               waited >= (source.answered ? options_.deadline : options_.first_list_deadline)) {
      source.status.available = false;
      source.status.message = fmt::format(
          "the driver did not answer within {} when asked for its devices; it is asked "
          "again when it does",
          in_words(source.answered ? options_.deadline : options_.first_list_deadline));
    }
  }
  for (const auto& entry : entries_) {
    if (entry->read->in_flight) {
      if (entry->read->done()) {
        take_results(*entry);
      } else if (!entry->hanging && now - entry->read->started >= options_.deadline) {
        note_hang(*entry);
      }
    }
    if (!entry->process_task->in_flight) continue;
    if (entry->process_task->done()) {
      take_processes(*entry);
    } else if (entry->available && now - entry->process_task->started >= options_.deadline) {
      entry->forget_processes(fmt::format(
          "the driver did not answer within {} when asked for the processes; it is asked again when it does",
          in_words(options_.deadline)));
    }
  }
}

void Sampler::note_hang(Entry& entry) {
  entry.hanging = true;
  ++entry.hangs;
  entry.make_unavailable(Missing::failed,
                         fmt::format("the driver did not answer within {}; the device is tried again when it does. "
                                     "If it stays so, look for GPU errors in the kernel log (dmesg) and reset the GPU",
                                     in_words(options_.deadline)));
}

void Sampler::take_results(Entry& entry) {
  entry.read->landed(options_.deadline);
  if (entry.hanging) {
    // The answer is as old as the hang was long. Ask anew, later each time it hangs again.
    entry.hanging = false;
    entry.retry_at = clock_.now() + pause_after(entry.hangs);
    return;
  }
  entry.hangs = 0;
  if (!entry.present) return;  // this tick's list knows better
  auto& results = entry.read->results;
  if (!results.front()) {
    take_error(entry, results.front().error());
    return;
  }
  entry.errors = 0;
  Reading& reading = *results.front();
  if (reading.attention == Attention::resting) {
    entry.reading.attention = Attention::resting;
    if (reading.runtime_power_state) entry.reading.runtime_power_state = reading.runtime_power_state;
    entry.reason = "idle, and left alone so that it can fall asleep";
    return;
  }
  complete(reading);
  entry.reading = std::move(reading);
  entry.read_at = clock_.wall();
  entry.available = entry.reading.attention == Attention::awake;
  entry.reason.clear();
  if (!entry.available) {
    entry.reason = "asleep (runtime-suspended); it is not woken to be looked at";
    entry.forget_processes("the device is asleep");
    entry.next_processes = {};
  }
  const auto& ids = entry.read->ids;  // as they were when it began: partitions may have come and gone since
  for (Entry::Partition& partition : entry.partitions) {
    const auto at = static_cast<std::size_t>(std::find(ids.begin(), ids.end(), partition.device->id) - ids.begin());
    if (at >= results.size()) continue;
    if (results[at]) {
      complete(*results[at]);
      partition.reading = std::move(*results[at]);
      partition.available = partition.reading.attention == Attention::awake;
      partition.reason.clear();
    } else {
      partition.available = false;
      partition.reading = Reading{Missing::failed};
      partition.reason = results[at].error().message;
    }
  }
}

void Sampler::take_error(Entry& entry, const Error& error) {
  ++entry.errors;
  const bool definite =
      error.code == Errc::not_found || error.code == Errc::unavailable || error.code == Errc::not_permitted;
  if (definite || !entry.available || entry.errors >= kErrorsUntilUnavailable) {
    const Missing why = error.code == Errc::not_permitted ? Missing::not_permitted : Missing::failed;
    entry.make_unavailable(why, error.message);
  } else {
    entry.reason = fmt::format("the last reading failed: {}", error.message);
  }
  if (error.code == Errc::not_found) sources_[entry.source]->next_list = {};
  if (entry.errors >= kErrorsUntilUnavailable) {
    entry.retry_at = clock_.now() + pause_after(entry.errors - kErrorsUntilUnavailable + 1);
  }
}

void Sampler::take_processes(Entry& entry) {
  entry.process_task->landed(options_.deadline);
  if (!entry.available) return;
  auto& result = entry.process_task->result;
  if (result) {
    entry.processes = std::make_shared<const std::vector<GpuProcess>>(std::move(*result));
    entry.processes_reason.clear();
  } else {
    entry.forget_processes(result.error().message);
  }
}

void Sampler::adopt_list(std::size_t index) {
  Source& source = *sources_[index];
  auto& result = source.list->result;
  if (!result) {
    // Its devices are still read: each of them says for itself what is wrong.
    source.status.available = false;
    source.status.message = result.error().message;
    return;
  }
  source.status.available = true;
  source.status.message.clear();
  std::vector<DeviceId> seen;
  auto& devices = *result;
  for (auto device = devices.begin(); device != devices.end();) {
    const auto next = std::find_if(device + 1, devices.end(), [](const Device& d) { return !d.parent; });
    seen.push_back(device->id);
    adopt_device(index, *device, std::vector<Device>(device + 1, next));
    device = next;
  }
  source.status.devices = seen.size();
  for (const auto& entry : entries_) {
    if (entry->source != index) continue;
    const bool present = std::find(seen.begin(), seen.end(), entry->device->id) != seen.end();
    if (entry->present && !present) {
      entry->make_unavailable(Missing::failed,
                              "gone from the bus: unplugged, fallen off it, or its driver was unloaded");
    }
    if (!entry->present && present) entry->retry_at = {};
    entry->present = present;
  }
}

void Sampler::adopt_device(std::size_t source, const Device& device, std::vector<Device> partitions) {
  const auto same = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return entry->device->id == device.id || (device.pci && entry->device->pci == device.pci);
  });
  Entry* entry = nullptr;
  if (same != entries_.end()) {
    if ((*same)->source < source && (*same)->present) return;
    if ((*same)->source != source) {
      // A source of higher precedence has come to know it, or has lost it: it was bound to another driver.
      entries_.erase(same);
    } else {
      entry = same->get();
    }
  }
  if (!entry) {
    auto made = std::make_unique<Entry>();
    made->source = source;
    made->read = std::make_shared<ReadTask>(sources_[source]->backend);
    made->process_task = std::make_shared<ProcessTask>(sources_[source]->backend);
    made->device = std::make_shared<const Device>(device);
    const auto place = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const auto& other) { return pci_order(device) < pci_order(*other->device); });
    entry = entries_.insert(place, std::move(made))->get();
  } else {
    entry->device = std::make_shared<const Device>(device);
  }
  // Partitions come and go while their device stays: keep the readings of those that did.
  std::vector<Entry::Partition> next;
  for (Device& partition : partitions) {
    const auto old = std::find_if(entry->partitions.begin(), entry->partitions.end(),
                                  [&](const Entry::Partition& p) { return p.device && p.device->id == partition.id; });
    next.push_back(old != entry->partitions.end() ? std::move(*old) : Entry::Partition{});
    next.back().device = std::make_shared<const Device>(std::move(partition));
  }
  entry->partitions = std::move(next);
}

void Sampler::publish() {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->sequence = ++sequence_;
  snapshot->taken_at = clock_.wall();
  snapshot->monotonic = clock_.now();
  snapshot->host = options_.host;
  static_cast<ProcessCost&>(snapshot->self) = self_.read();
  for (const auto& source : sources_) {
    snapshot->sources.push_back(source->status);
    const DriverCost cost = source->backend->cost();
    snapshot->self.driver.calls += cost.calls;
    snapshot->self.driver.time += cost.time;
  }
  snapshot->devices.reserve(entries_.size());
  for (const auto& entry : entries_) {
    DeviceSnapshot& device = snapshot->devices.emplace_back();
    device.index = static_cast<std::uint32_t>(snapshot->devices.size() - 1);
    device.device = entry->device;
    device.reading = entry->reading;
    device.read_at = entry->read_at;
    device.available = entry->available;
    device.state = entry->available ? state_of(entry->reading, options_.thresholds) : State::unavailable;
    device.reason = entry->reason;
    device.processes = entry->processes;
    device.processes_reason = options_.processes ? entry->processes_reason : "process_monitoring is off";
    if (entry->available && device.state == State::unavailable && device.reason.empty()) {
      device.reason = "neither a temperature nor a memory fill is known";
    }
    for (const Entry::Partition& partition : entry->partitions) {
      DeviceSnapshot& part = device.partitions.emplace_back();
      part.index = static_cast<std::uint32_t>(device.partitions.size() - 1);
      part.parent_index = device.index;
      part.device = partition.device;
      part.reading = partition.reading;
      part.read_at = entry->read_at;
      part.available = partition.available;
      part.state = part.available ? state_of(part.reading, options_.thresholds) : State::unavailable;
      part.reason = partition.reason;
    }
  }
  snapshot->events = std::exchange(reported_, {});
  for (const auto& events : events_) snapshot->event_sources.push_back(events->status);
  options_.finish(*snapshot);
  out_.publish(std::move(snapshot));
}

}  // namespace gpukeeper

#include "backend/nvml/nvml_backend.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "backend/nvml/attach.hpp"
#include "backend/nvml/codes.hpp"
#include "backend/nvml/device_reader.hpp"
#include "backend/nvml/event_queue.hpp"
#include "backend/nvml/pci_functions.hpp"
#include "backend/nvml/process_reader.hpp"
#include "backend/nvml/session.hpp"
#include "backend/sysfs/power_gate.hpp"

/// Problem: a call into NVML may hang for ever, the driver may be unloaded under us, and merely opening it wakes every
/// NVIDIA GPU of the machine. Choice: everything a call needs is reached through two shared pointers, the session and
/// the catalog of devices, taken under a mutex that is never held over a call. list() alone replaces them. A session
/// ends when the last call inside has let go of it (session.hpp), so nothing waits for a call that hangs; the price is
/// that a session with a hung call cannot be replaced, and its other devices go on being read in it.
namespace gpukeeper::nvml {

using namespace abi;
using namespace std::chrono_literals;

namespace {

constexpr auto kFirstPause = 1s;
constexpr auto kLongestPause = 60s;
constexpr auto kSettled = 30s;     // a session that lasted so long was no false start
constexpr auto kHandOver = 100ms;  // for calls in flight to leave a session that is to be replaced
constexpr auto kMigModePeriod = 10s;
constexpr auto kMigInstancePeriod = 30s;
constexpr auto kLostRetry = 10s;
constexpr auto kLongestLostRetry = 300s;
constexpr int kMostEvents = 64;     // in one go
constexpr int kReadsUntilIdle = 5;  // when nobody asks for processes

std::chrono::seconds pause_after(int failures) {
  return failures >= 7 ? kLongestPause : std::min<std::chrono::seconds>(kLongestPause, kFirstPause * (1 << failures));
}

/// A MIG instance within one session.
struct Partition {
  ProcessPartition place;
  bool memory2 = true;  // as the rest: of the thread that reads it
  Reading reading{Missing::not_supported};
  std::optional<MonotonicTime> read_at;
};

/// A physical device within one session.
struct Unit {
  Unit(const Files& files, Found found, double calls_per_second)
      : device(std::move(found.device)), reader(files, std::move(found.attached), calls_per_second), processes(files) {
    reader.mig_mode = found.mig_mode;
    reader.budget().borrow(found.calls);
  }

  Device device;        // constant once published
  DeviceReader reader;  // of the thread that reads the device
  std::chrono::seconds lost_pause = kLostRetry;
  MonotonicTime lost_until{};
  std::atomic<Code> lost{kSuccess};  // set by the thread that reads
  int reads = 0;
  bool on_bus = false;  // of list(): the kernel's files showed it

  std::mutex processes_mutex;
  ProcessReader processes;  // guarded by processes_mutex

  std::atomic<bool> inside{false};   // a reading of it is in the driver
  std::atomic<int> held{-1};         // whether processes compute on it: 0, 1, -1 not known yet
  std::atomic<bool> recheck{false};  // its partitions may have changed
  MonotonicTime mode_checked{};      // these three: of list()
  MonotonicTime partitions_checked{};
  std::vector<Device> partition_devices;
  std::vector<std::shared_ptr<Partition>> partitions;
};

/// A device or partition as read() finds it.
struct Entry {
  std::string label;   // "GPU 0000:01:00.0", for messages
  std::string folder;  // its PCI function; empty when there is none
  bool managed = false;
  Metric<std::string> runtime_state = missing(Missing::not_supported);  // where it is not managed: it stays so
  std::shared_ptr<Unit> unit;
  std::shared_ptr<Partition> partition;
  std::shared_ptr<const std::vector<ProcessPartition>> places;  // of all its partitions
  std::optional<Error> error;                                   // why it cannot be read
};

using Catalog = std::unordered_map<std::string, Entry>;

/// A search for devices, from one index to another, by a thread that may hang in the driver: whoever waits for it goes
/// on without it after a while.
struct Search {
  struct Answer {
    Code code = kUnknown;
    Found found;
    std::vector<FoundPartition> partitions;
  };

  std::mutex mutex;
  std::condition_variable progress;
  std::vector<Answer> answers;  // guarded by mutex, as is what follows; in the order of indices
  bool given_up = false;        // nobody waits any more
};

void search(const std::shared_ptr<Session>& session, const SystemFacts& system, unsigned from, unsigned to,
            const std::shared_ptr<Search>& search) {
  for (unsigned index = from; index < to; ++index) {
    Search::Answer answer;
    Handle handle = nullptr;
    answer.code = session->call(session->library().handle_by_index, index, &handle);
    if (answer.code == kSuccess) answer.code = find_device(*session, handle, system, answer.found);
    if (answer.code == kSuccess && answer.found.mig_mode == 1) {
      answer.partitions = find_partitions(*session, handle, answer.found.device, answer.found.calls);
    }
    std::scoped_lock lock(search->mutex);
    if (search->given_up) return;
    search->answers.push_back(std::move(answer));
    search->progress.notify_one();
  }
}

class NvmlBackend final : public Backend, public EventSource {
 public:
  NvmlBackend(std::shared_ptr<const Library> library, Loader loader, const Options& options)
      : files_(options.files),
        clock_(options.clock),
        wake_(options.wake),
        attach_patience_(options.attach_patience),
        calls_per_second_(options.calls_per_second),
        loader_(std::move(loader)),
        gate_(options.files, options.clock, options.wake),
        pci_(options.files),
        library_(std::move(library)) {}

  std::string_view name() const override { return "nvml"; }  // of Backend and of EventSource
  Result<std::vector<Device>> list() override;
  Result<Reading> read(const DeviceId& id) override;
  Result<std::vector<GpuProcess>> processes(const DeviceId& id) override;
  DriverCost cost() const override { return meter_->cost(); }
  /// What list() was told: no call into the driver, so it neither hangs nor wakes a device.
  Result<std::vector<DeviceEvent>> take_events() override { return events_.take(); }

 private:
  enum class Closed { not_opened, failed, resting, reopening };

  /// What a call works with, taken at once.
  struct Grip {
    std::shared_ptr<const Catalog> catalog;
    std::shared_ptr<Session> session;
    Closed closed;
  };
  Grip grip() const {
    std::scoped_lock lock(mutex_);
    return {catalog_, session_, closed_};
  }
  void let_go(const std::shared_ptr<Session>& session, Closed why);

  /// A device as list() sees it.
  struct Place {
    PciFunction function;
    Attention attention = Attention::awake;
  };

  void close_broken(const std::shared_ptr<Session>& session, MonotonicTime now);
  std::shared_ptr<Session> open_session(MonotonicTime now);  // null when it failed: failure_ says why
  std::optional<Error> attach(const std::shared_ptr<Session>& session);
  unsigned attach_devices(const std::shared_ptr<Session>& session, unsigned from, unsigned to);
  void add_unit(Session& session, Search::Answer answer);
  static void set_partitions(Unit& unit, std::vector<FoundPartition> found, MonotonicTime now);
  void fail_open(Error error, MonotonicTime now);
  void refresh(const std::shared_ptr<Session>& session, MonotonicTime now, const std::vector<Place>& places);
  void drain_events(Session& session);
  void refresh_partitions(Session& session, Unit& unit, MonotonicTime now);
  std::vector<Device> publish(const std::vector<Place>& places, const std::shared_ptr<Session>& session);
  Device known_device(const PciFunction& function);

  Result<Reading> read_device(const Grip& grip, const Entry& entry, Session& session);
  Result<Reading> read_partition(const Entry& entry, Session& session);
  Error trouble(Session& session, Code code, std::string_view function, std::string_view what, const Entry& entry);
  void note_use(const std::shared_ptr<const Catalog>& catalog, const std::shared_ptr<Session>& session,
                const Entry& entry, const Reading& reading);

  const Files& files_;
  const Clock& clock_;
  const bool wake_;
  const std::chrono::milliseconds attach_patience_;
  const double calls_per_second_;
  const Loader loader_;
  const std::shared_ptr<Meter> meter_ = std::make_shared<Meter>();
  PowerGate gate_;
  EventQueue events_;

  std::mutex list_mutex_;  // held by the one list() that runs
  PciFunctions pci_;
  std::shared_ptr<const Library> library_;
  std::shared_future<void> ended_;  // of the last session
  std::uint64_t generation_ = 0;
  std::size_t listed_ = 0;               // turns, so that each device pays its share of what is asked for all
  std::uint64_t listed_generation_ = 0;  // of the session that was published last
  MonotonicTime opened_at_{};
  MonotonicTime retry_at_{};
  int failures_ = 0;
  std::optional<Error> failure_;        // why there is no session
  std::optional<Code> failed_devices_;  // when it is the devices' fault: what they answered
  std::vector<PciAddress> attached_functions_;
  std::vector<std::shared_ptr<Unit>> units_;  // of the session, in the library's order
  SystemFacts system_;
  struct Unopened {
    unsigned index;
    Code code;
    std::weak_ptr<Search> hanging;  // alive while the call that asked it hangs
  };
  std::vector<Unopened> unopened_;  // devices of the session that could not be asked who they are
  std::chrono::seconds unopened_pause_ = kLostRetry;
  MonotonicTime unopened_retry_{};
  std::map<PciAddress, Device> known_;  // who was where, for when nothing can be asked

  mutable std::mutex mutex_;
  std::shared_ptr<const Catalog> catalog_ = std::make_shared<const Catalog>();  // these: guarded by mutex_
  std::shared_ptr<Session> session_;
  Closed closed_ = Closed::not_opened;
};

// Why the session is over, for one of its devices.
Error broken_error(Code code, const std::string& label) {
  return ends_session(code) ? driver_error(code, {}) : device_error(code, label);
}

std::string label_of(const std::optional<PciAddress>& pci, const DeviceId& id) {
  return pci ? "GPU " + pci->to_string() : id.text;
}

// ---------------------------------------------------------------------------------------------------------- listing

Result<std::vector<Device>> NvmlBackend::list() {
  std::unique_lock guard(list_mutex_, std::try_to_lock);
  if (!guard) {
    return fail(Errc::unavailable, "an earlier question for the NVIDIA devices is still inside the driver");
  }
  const auto now = clock_.now();
  std::vector<Place> places;
  bool any_asleep = false;
  bool all_quiet = true;  // of those that the driver drives
  std::vector<PciAddress> driven;
  for (PciFunction& function : pci_.scan()) {
    Place place{std::move(function), Attention::awake};
    if (place.function.driven) {
      place.attention = gate_.look(place.function.folder);
      driven.push_back(place.function.address);
      any_asleep |= place.attention == Attention::asleep;
      all_quiet &= place.attention != Attention::awake;
    }
    places.push_back(std::move(place));
  }
  all_quiet &= !driven.empty();

  auto session = grip().session;
  // When no device can be spoken to any more, not the devices are the trouble, or a new start may find them again.
  if (session && session->broken == kSuccess && !any_asleep) {
    Code lost = unopened_.empty() ? kSuccess : unopened_.front().code;
    for (const auto& unit : units_) lost = unit->lost;
    const bool all = std::ranges::all_of(units_, [](const auto& unit) { return unit->lost != kSuccess; });
    if (all && lost != kSuccess) session->broken = lost;
  }
  if (session && session->broken != kSuccess) {
    close_broken(session, now);
    session.reset();
  } else if (session && all_quiet) {
    let_go(session, Closed::resting);
    session.reset();
  } else if (session && driven != attached_functions_ && !any_asleep) {
    let_go(session, Closed::reopening);  // a GPU came or went: the library learns of it only by a new start
    session.reset();
  }
  if (session) {
    if (!any_asleep) refresh(session, now, places);
  } else if (!any_asleep && !all_quiet && now >= retry_at_) {
    session = open_session(now);
    if (session) attached_functions_ = driven;
  }
  auto devices = publish(places, session);
  if (devices.empty() && failure_ && !session) return tl::make_unexpected(*failure_);
  return devices;
}

void NvmlBackend::let_go(const std::shared_ptr<Session>& session, Closed why) {
  std::shared_ptr<Session> last;  // released after the lock: it may be the one that calls nvmlShutdown
  std::scoped_lock lock(mutex_);
  if (session_ != session) return;
  last.swap(session_);
  closed_ = why;
}

void NvmlBackend::close_broken(const std::shared_ptr<Session>& session, MonotonicTime now) {
  const Code code = session->broken;
  failure_ = broken_error(code, "every NVIDIA GPU");
  failed_devices_.reset();
  if (!ends_session(code)) failed_devices_ = code;
  failures_ = now - opened_at_ < kSettled ? failures_ + 1 : 0;
  if (failures_ > 1) retry_at_ = now + pause_after(failures_ - 2);
  library_.reset();  // the driver may come back in another version, and with it the library on disk
  units_.clear();
  let_go(session, Closed::failed);
}

void NvmlBackend::fail_open(Error error, MonotonicTime now) {
  failure_ = std::move(error);
  failed_devices_.reset();
  retry_at_ = now + pause_after(failures_++);
  units_.clear();
  std::scoped_lock lock(mutex_);
  closed_ = Closed::failed;
}

std::shared_ptr<Session> NvmlBackend::open_session(MonotonicTime now) {
  // Calls that began in the old session may still be inside. They need microseconds, unless they hang.
  if (ended_.valid() && ended_.wait_for(kHandOver) != std::future_status::ready) {
    failure_ = Error{Errc::unavailable,
                     "a call that began before the NVIDIA driver went away still hangs inside it; the GPUs are read "
                     "again when it returns. If it does not, stop what uses the GPUs and restart this program, or "
                     "reboot"};
    std::scoped_lock lock(mutex_);
    closed_ = Closed::failed;
    return nullptr;
  }
  units_.clear();
  if (!library_) {
    auto loaded = loader_();
    if (!loaded) {
      fail_open(loaded.error(), now);
      return nullptr;
    }
    library_ = *loaded;
  }
  auto session = std::make_shared<Session>(library_, meter_, ++generation_);
  const Code code = session->open();
  if (code != kSuccess) {
    Versions versions;
    if (code == kVersionMismatch) {
      std::array<char, 96> text{};
      if (session->call(library_->library_version, text.data(), static_cast<unsigned>(text.size() - 1)) == kSuccess) {
        versions.library = text.data();
      }
      versions.kernel_module = pci_.module_version();
    }
    fail_open(driver_error(code, versions), now);
    session.reset();
    library_.reset();
    return nullptr;
  }
  ended_ = session->ended();
  if (auto error = attach(session)) {
    fail_open(std::move(*error), now);
    library_.reset();
    return nullptr;
  }
  opened_at_ = now;
  failure_.reset();
  return session;
}

std::optional<Error> NvmlBackend::attach(const std::shared_ptr<Session>& session) {
  const Library& library = session->library();
  system_ = read_system_facts(*session);
  unopened_.clear();
  const bool events = library.event_set_create && library.event_set_free;
  if (!events || session->call(library.event_set_create, &session->events) != kSuccess) session->events = nullptr;
  unsigned count = 0;
  const Code counted = session->call(library.count, &count);
  if (counted != kSuccess) {
    if (ends_session(counted)) return driver_error(counted, {});
    return Error{Errc::unavailable, fmt::format("the NVIDIA driver does not say how many GPUs there are: "
                                                "nvmlDeviceGetCount: {} (code {}); see `sudo dmesg | grep -i nvidia`",
                                                nvml::describe(counted), counted)};
  }
  for (unsigned index = 0; index < count;) {
    // Restarted behind a device that hangs.
    index = attach_devices(session, index, count);
    if (session->broken != kSuccess) {
      units_.clear();
      return driver_error(session->broken, {});
    }
  }
  unopened_pause_ = kLostRetry;
  unopened_retry_ = clock_.now() + unopened_pause_;
  return std::nullopt;
}

// Adds the units of the indices from one to before another, up to the first that hangs. Returns the index after the
// last that was tried.
unsigned NvmlBackend::attach_devices(const std::shared_ptr<Session>& session, unsigned from, unsigned to) {
  auto task = std::make_shared<Search>();
  std::thread thread([session, system = system_, from, to, task] { search(session, system, from, to, task); });
  std::vector<Search::Answer> answers;
  bool hangs = false;
  {
    std::unique_lock lock(task->mutex);
    for (auto have = task->answers.size(); have < to - from && !hangs; have = task->answers.size()) {
      hangs = !task->progress.wait_for(lock, attach_patience_, [&] { return task->answers.size() > have; });
    }
    task->given_up = hangs;
    answers = std::move(task->answers);
  }
  if (hangs) {
    thread.detach();  // it holds all that it needs, and ends with its call
  } else {
    thread.join();
  }
  unsigned index = from;
  for (Search::Answer& answer : answers) {
    if (ends_session(answer.code)) {
      session->broken = answer.code;
      return to;
    }
    if (answer.code != kSuccess && answer.found.device.id.text.empty()) {
      unopened_.push_back({index, answer.code, {}});
    } else {
      add_unit(*session, std::move(answer));
    }
    ++index;
  }
  if (hangs) unopened_.push_back({index++, kTimeout, task});
  return index;
}

void NvmlBackend::add_unit(Session& session, Search::Answer answer) {
  Found& found = answer.found;
  if (found.device.pci) pci_.add_facts("/sys/bus/pci/devices/" + found.device.pci->to_string(), found.device);
  if (answer.code == kSuccess && !found.device.cpu_affinity) {
    found.device.cpu_affinity = read_cpu_affinity(session, found.attached.handle, found.calls);
  }
  auto unit = std::make_shared<Unit>(files_, std::move(found), calls_per_second_);
  if (answer.code != kSuccess) {
    unit->lost = answer.code;
    unit->lost_until = clock_.now() + unit->lost_pause;
  }
  set_partitions(*unit, std::move(answer.partitions), clock_.now());
  units_.push_back(std::move(unit));
}

void NvmlBackend::refresh_partitions(Session& session, Unit& unit, MonotonicTime now) {
  int calls = 0;
  std::vector<FoundPartition> found;
  if (unit.reader.mig_mode == 1) found = find_partitions(session, unit.reader.handle(), unit.device, calls);
  unit.reader.budget().borrow(calls);
  set_partitions(unit, std::move(found), now);
}

void NvmlBackend::set_partitions(Unit& unit, std::vector<FoundPartition> found, MonotonicTime now) {
  unit.mode_checked = now;
  unit.partitions_checked = now;
  std::vector<std::shared_ptr<Partition>> next;
  unit.partition_devices.clear();
  for (FoundPartition& item : found) {
    // One that stayed keeps what it has read.
    const auto same = std::find_if(unit.partitions.begin(), unit.partitions.end(), [&](const auto& old) {
      return old->place.id == item.place.id && old->place.handle == item.place.handle;
    });
    if (same != unit.partitions.end()) {
      next.push_back(*same);
    } else {
      next.push_back(std::make_shared<Partition>());
      next.back()->place = item.place;
    }
    unit.partition_devices.push_back(std::move(item.device));
  }
  unit.partitions = std::move(next);
}

// One call for all devices where nothing happened. Errors of memory are not asked for: the counters tell of each, and
// how many.
void NvmlBackend::drain_events(Session& session) {
  for (int i = 0; session.events && i < kMostEvents; ++i) {
    EventData event{};
    // A time-out of 0: it only looks.
    const Code code = session.call(session.library().event_set_wait, session.events, &event, 0u);
    if (!units_.empty()) units_[++listed_ % units_.size()]->reader.budget().spend(1);
    if (ends_session(code)) session.broken = code;
    if (code != kSuccess) return;
    for (const auto& unit : units_) {
      if (unit->reader.handle() != event.device) continue;
      if (event.type & kEventXid) {
        unit->reader.xid = event.data;
        events_.add(xid_event(event, unit->device, clock_.wall()));
      }
      if (event.type & kEventMigConfiguration) unit->recheck = true;
    }
  }
}

void NvmlBackend::refresh(const std::shared_ptr<Session>& session, MonotonicTime now,
                          const std::vector<Place>& places) {
  drain_events(*session);
  if (!unopened_.empty() && now >= unopened_retry_) {
    for (Unopened& item : std::exchange(unopened_, {})) {
      if (item.hanging.expired()) {
        attach_devices(session, item.index, item.index + 1);
      } else {
        unopened_.push_back(std::move(item));
      }
    }
    unopened_pause_ = std::min<std::chrono::seconds>(2 * unopened_pause_, kLongestLostRetry);
    unopened_retry_ = now + unopened_pause_;
  }
  for (auto& unit : units_) {
    if (unit->reader.mig_mode < 0 || session->broken != kSuccess) continue;
    const bool quiet = std::any_of(places.begin(), places.end(), [&](const Place& place) {
      return place.function.address == unit->device.pci && place.attention != Attention::awake;
    });
    // One whose reading is still inside may hang: listing the others must not wait for it.
    if (quiet || unit->lost != kSuccess || unit->inside) continue;
    const bool recheck = unit->recheck.exchange(false);
    if (!recheck && now - unit->mode_checked < kMigModePeriod) continue;
    int calls = 0;
    const int mode = read_mig_mode(*session, unit->reader.handle(), calls);
    unit->reader.budget().spend(calls);
    unit->mode_checked = now;
    if (mode < 0) continue;
    if (mode != unit->reader.mig_mode) {
      // What the device serves depends on the mode: learn it anew.
      Found found;
      found.device = unit->device;
      if (find_device(*session, unit->reader.handle(), system_, found) != kSuccess) continue;
      if (found.device.pci) pci_.add_facts("/sys/bus/pci/devices/" + found.device.pci->to_string(), found.device);
      auto next = std::make_shared<Unit>(files_, std::move(found), calls_per_second_);
      next->reader.xid = unit->reader.xid.load();
      unit = std::move(next);
      refresh_partitions(*session, *unit, now);
    } else if (recheck || now - unit->partitions_checked >= kMigInstancePeriod) {
      refresh_partitions(*session, *unit, now);
    }
  }
}

// Who a function is, from the last session that knew it or from the kernel's files.
Device NvmlBackend::known_device(const PciFunction& function) {
  const auto known = known_.find(function.address);
  if (known != known_.end() && !known->second.id.text.starts_with("PCI-")) {
    if (const auto version = pci_.module_version(); !version.empty()) known->second.driver_version = version;
    return known->second;
  }
  return known_[function.address] = pci_.describe(function);
}

// Makes the devices of the session, or those that are known without one, what calls find from now on.
std::vector<Device> NvmlBackend::publish(const std::vector<Place>& places, const std::shared_ptr<Session>& session) {
  const bool open = session != nullptr;
  auto catalog = std::make_shared<Catalog>();
  std::vector<Device> devices;
  const auto asleep = std::find_if(places.begin(), places.end(),
                                   [](const Place& place) { return place.attention == Attention::asleep; });

  const auto add_unit = [&](const std::shared_ptr<Unit>& unit, const Place* place) {
    Entry entry;
    entry.label = label_of(unit->device.pci, unit->device.id);
    entry.unit = unit;
    if (place) {
      entry.folder = place->function.folder;
      entry.managed = place->function.managed && !wake_;
      if (!entry.managed) entry.runtime_state = gate_.runtime_state(entry.folder);
    }
    auto parts = std::make_shared<std::vector<ProcessPartition>>();
    for (const auto& partition : unit->partitions) parts->push_back(partition->place);
    entry.places = parts;
    if (unit->device.pci) known_[*unit->device.pci] = unit->device;
    devices.push_back(unit->device);
    for (std::size_t i = 0; i < unit->partitions.size(); ++i) {
      Entry part = entry;
      part.partition = unit->partitions[i];
      part.label = unit->partition_devices[i].id.text;
      catalog->emplace(unit->partition_devices[i].id.text, std::move(part));
      devices.push_back(unit->partition_devices[i]);
    }
    catalog->emplace(unit->device.id.text, std::move(entry));
  };
  const auto unit_at = [&](const std::optional<PciAddress>& address) -> std::shared_ptr<Unit> {
    for (const auto& unit : units_) {
      if (unit->device.pci == address) return unit;
    }
    return nullptr;
  };

  // By address; units whose function the kernel's files do not show (WSL, a bare container) come in their own order.
  struct Line {
    std::optional<PciAddress> address;
    std::shared_ptr<Unit> unit;
    const Place* place;
  };
  std::vector<Line> lines;
  for (const Place& place : places) lines.push_back({place.function.address, unit_at(place.function.address), &place});
  for (const auto& unit : units_) {
    const bool shown = unit->device.pci && std::any_of(places.begin(), places.end(), [&](const Place& place) {
                         return place.function.address == *unit->device.pci;
                       });
    // One that was on the bus and no longer is has left.
    if (!shown && !unit->on_bus) lines.push_back({unit->device.pci, unit, nullptr});
    unit->on_bus |= shown;
  }
  std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
    return std::tuple(!a.address, a.address.value_or(PciAddress{})) <
           std::tuple(!b.address, b.address.value_or(PciAddress{}));
  });

  for (const Line& line : lines) {
    if (line.unit) {
      add_unit(line.unit, line.place);
      continue;
    }
    const PciFunction& function = line.place->function;
    const bool was_known = known_.contains(function.address);
    const std::string label = label_of(function.address, {});
    Entry entry;
    entry.label = label;
    entry.folder = function.folder;
    entry.managed = function.driven && !wake_;
    if (!function.driven) {
      entry.error =
          failure_ && !open
              ? *failure_
              : Error{Errc::unavailable, fmt::format("no kernel driver is bound to {}; bind it with `echo {} | sudo "
                                                     "tee /sys/bus/pci/drivers/nvidia/bind`",
                                                     label, function.address.to_string())};
    } else if (asleep != places.end()) {
      if (line.place->attention == Attention::awake) {
        entry.error =
            Error{Errc::unavailable, fmt::format("not read: opening the driver would wake GPU {}; use --wake to do so",
                                                 asleep->function.address.to_string())};
      }
    } else if (open) {
      // In a container with some of the machine's GPUs the others are none of ours.
      if (unopened_.empty() && !was_known) continue;
      entry.error = device_error(unopened_.empty() ? kGpuNotFound : unopened_.front().code, label);
    } else if (failure_) {
      entry.error = failed_devices_ ? device_error(*failed_devices_, label) : *failure_;
    }
    Device device = known_device(function);
    catalog->emplace(device.id.text, std::move(entry));
    devices.push_back(std::move(device));
  }

  // Devices that could not be asked who they are, where the kernel's files do not say it either (a container without
  // /sys, WSL): one that hangs must not vanish from the list. They are called by the library's index until they answer.
  const auto in_files =
      std::ranges::count_if(lines, [](const Line& line) { return !line.unit && line.place->function.driven; });
  for (std::size_t i = static_cast<std::size_t>(in_files); open && i < unopened_.size(); ++i) {
    Device device;
    device.id.text = fmt::format("NVML-{}", unopened_[i].index);
    device.vendor = Vendor::nvidia;
    device.name = "NVIDIA GPU";
    device.source = "nvml";
    device.driver = "nvidia";
    device.driver_version = system_.driver_version;
    device.library_version = system_.library_version;
    device.cuda_version = system_.cuda_version;
    Entry entry;
    entry.label = fmt::format("the GPU that nvidia-smi numbers {}", unopened_[i].index);
    entry.error = device_error(unopened_[i].code, entry.label);
    catalog->emplace(device.id.text, std::move(entry));
    devices.push_back(std::move(device));
  }

  // What was listed before and stands on no bus that could be looked at says why it cannot be read.
  if (!open && failure_ && places.empty()) {
    for (const auto& [id, entry] : *grip().catalog) {
      Entry down;
      down.label = entry.label;
      down.error = *failure_;
      catalog->emplace(id, std::move(down));
    }
  }

  std::shared_ptr<const Catalog> old = std::move(catalog);  // released after the lock, as is the session
  std::shared_ptr<Session> held = session;
  std::scoped_lock lock(mutex_);
  catalog_.swap(old);
  // The one that was listed may have been closed meanwhile, by a reading that found every device at rest.
  if (session && session->generation() != listed_generation_) {
    session_.swap(held);
    listed_generation_ = session->generation();
  }
  return devices;
}

// ---------------------------------------------------------------------------------------------------------- reading

Error NvmlBackend::trouble(Session& session, Code code, std::string_view function, std::string_view what,
                           const Entry& entry) {
  if (ends_session(code)) {
    session.broken = code;
    return driver_error(code, {});
  }
  if (loses_device(code)) return device_error(code, entry.label);
  const Errc errc = never_there(code)       ? Errc::not_supported
                    : code == kNoPermission ? Errc::not_permitted
                                            : Errc::internal;
  return {errc, fmt::format("{} {}: {}: {} (code {})", what, entry.label, function, nvml::describe(code), code)};
}

Result<Reading> NvmlBackend::read(const DeviceId& id) {
  const Grip now = grip();
  const auto found = now.catalog->find(id.text);
  if (found == now.catalog->end()) {
    return fail(Errc::not_found, fmt::format("no NVIDIA GPU is called {} (any more)", id.text));
  }
  const Entry& entry = found->second;
  if (entry.managed) {
    const Attention attention = gate_.look(entry.folder);
    if (attention != Attention::awake) {
      Reading reading{attention == Attention::asleep ? Missing::asleep : Missing::not_yet_read};
      reading.attention = attention;
      reading.runtime_power_state = gate_.runtime_state(entry.folder);
      return reading;
    }
  }
  if (entry.error) return tl::make_unexpected(*entry.error);
  if (!now.session) {
    if (now.closed == Closed::resting) {
      Reading reading{Missing::not_yet_read};
      reading.attention = Attention::resting;
      reading.runtime_power_state = gate_.runtime_state(entry.folder);
      return reading;
    }
    // The library starts anew because a GPU came or went; that takes less than a tick, and the others did not change.
    if (now.closed == Closed::reopening && entry.unit && !entry.partition && entry.unit->reads > 0) {
      return entry.unit->reader.reading();
    }
    return fail(
        Errc::unavailable,
        fmt::format("{} is not read: the NVIDIA driver is not open; it is opened again by itself", entry.label));
  }
  if (const Code broken = now.session->broken; broken != kSuccess) {
    return tl::make_unexpected(broken_error(broken, entry.label));
  }
  if (!entry.unit) {
    return fail(Errc::unavailable, fmt::format("{} is not read: the driver was opened just now", entry.label));
  }
  if (entry.partition) return read_partition(entry, *now.session);
  auto reading = read_device(now, entry, *now.session);
  if (reading && entry.managed) note_use(now.catalog, now.session, entry, *reading);
  return reading;
}

Result<Reading> NvmlBackend::read_device(const Grip&, const Entry& entry, Session& session) {
  Unit& unit = *entry.unit;
  const auto now = clock_.now();
  // A lost device is left alone: every call to it may take seconds and slow the others down.
  if (unit.lost != kSuccess && now < unit.lost_until) return tl::make_unexpected(device_error(unit.lost, entry.label));
  unit.inside = true;
  const auto outcome = unit.reader.read(session, now);
  unit.inside = false;
  if (outcome.code == kSuccess) {
    unit.lost = kSuccess;
    unit.lost_pause = kLostRetry;
    ++unit.reads;
    Reading reading = unit.reader.reading();
    reading.runtime_power_state = entry.managed ? gate_.runtime_state(entry.folder) : entry.runtime_state;
    return reading;
  }
  if (ends_session(outcome.code))
    return tl::make_unexpected(trouble(session, outcome.code, outcome.function, "read", entry));
  if (outcome.definite) {
    if (unit.lost != kSuccess) unit.lost_pause = std::min<std::chrono::seconds>(2 * unit.lost_pause, kLongestLostRetry);
    unit.lost = outcome.code;
    unit.lost_until = now + unit.lost_pause;
    return tl::make_unexpected(device_error(outcome.code, entry.label));
  }
  if (outcome.code == kInvalidArgument) {
    // No call at all accepts the handle: it is of a driver that has been replaced.
    session.broken = kUninitialized;
    return tl::make_unexpected(driver_error(kUninitialized, {}));
  }
  return tl::make_unexpected(trouble(session, outcome.code, outcome.function, "read", entry));
}

Result<Reading> NvmlBackend::read_partition(const Entry& entry, Session& session) {
  Partition& partition = *entry.partition;
  const auto now = clock_.now();
  // Seven instances would take seven calls; a few of them are read every time, many every third second.
  const auto period = entry.places->size() <= 2 ? 0ms : 2900ms;
  if (partition.read_at && now - *partition.read_at < period) return partition.reading;
  int calls = 0;
  const Code code = nvml::read_memory(session, partition.place.handle, partition.memory2, partition.reading, calls);
  entry.unit->reader.budget().spend(calls);
  if (code == kInvalidArgument || code == kNotFound || code == kGpuNotFound) {
    entry.unit->recheck = true;
    return fail(
        Errc::unavailable,
        fmt::format("{} is gone: the MIG instances of its GPU were changed; they are listed anew", entry.label));
  }
  if (is_trouble(code)) {
    return tl::make_unexpected(trouble(session, code, "nvmlDeviceGetMemoryInfo", "read memory of", entry));
  }
  partition.read_at = now;
  partition.reading.runtime_power_state = entry.runtime_state;
  return partition.reading;
}

// Tells the gate whether the device works, and closes the driver once no device needs it.
void NvmlBackend::note_use(const std::shared_ptr<const Catalog>& catalog, const std::shared_ptr<Session>& session,
                           const Entry& entry, const Reading& reading) {
  // A computing process holds the GPU awake anyway. A display server alone does not: it lets an idle GPU sleep.
  const int held = entry.unit->held;
  if (held < 0 && entry.unit->reads < kReadsUntilIdle) return;  // not known yet: no haste
  const bool busy = held > 0 || (reading.utilization && reading.utilization->value() > 0);
  gate_.note(entry.folder, busy);
  if (busy) return;
  for (const auto& [id, other] : *catalog) {
    if (other.partition || !other.unit) continue;
    if (!other.managed || gate_.look(other.folder) == Attention::awake) return;
  }
  let_go(session, Closed::resting);
}

Result<std::vector<GpuProcess>> NvmlBackend::processes(const DeviceId& id) {
  const Grip now = grip();
  const auto found = now.catalog->find(id.text);
  if (found == now.catalog->end()) {
    return fail(Errc::not_found, fmt::format("no NVIDIA GPU is called {} (any more)", id.text));
  }
  const Entry& entry = found->second;
  if (entry.partition) {
    return fail(Errc::not_supported, fmt::format("the processes of {} are listed with those of its GPU", entry.label));
  }
  if (entry.managed) {
    const Attention attention = gate_.look(entry.folder);
    if (attention == Attention::asleep) return fail(Errc::unavailable, fmt::format("{} is asleep", entry.label));
    if (attention == Attention::resting) {
      return fail(Errc::unavailable, fmt::format("{} is idle and left alone so that it can fall asleep", entry.label));
    }
  }
  if (entry.error) return tl::make_unexpected(*entry.error);
  if (!now.session || !entry.unit) {
    return fail(Errc::unavailable,
                fmt::format("the processes of {} are not read: the NVIDIA driver is not open", entry.label));
  }
  if (const Code broken = now.session->broken; broken != kSuccess) {
    return tl::make_unexpected(broken_error(broken, entry.label));
  }
  Unit& unit = *entry.unit;
  std::unique_lock guard(unit.processes_mutex, std::try_to_lock);
  if (!guard) {
    return fail(Errc::unavailable,
                fmt::format("an earlier question for the processes of {} is still inside the driver", entry.label));
  }
  std::vector<GpuProcess> result;
  const auto outcome = unit.processes.read(*now.session, unit.reader.handle(), *entry.places, unit.reader.budget(),
                                           clock_.now(), result);
  if (outcome.code != kSuccess) {
    return tl::make_unexpected(trouble(*now.session, outcome.code, outcome.function, "list processes of", entry));
  }
  unit.held =
      std::any_of(result.begin(), result.end(), [](const GpuProcess& p) { return p.type.compute || p.type.mps; });
  return result;
}

}  // namespace

std::unique_ptr<Backend> make_backend(std::shared_ptr<const Library> library, Loader loader, const Options& options) {
  return std::make_unique<NvmlBackend>(std::move(library), std::move(loader), options);
}

Result<std::unique_ptr<Backend>> open(const Options& options) {
  auto library = load_library(options.library);
  if (!library) return tl::make_unexpected(library.error());
  return make_backend(
      std::move(*library), [path = options.library] { return load_library(path); }, options);
}

}  // namespace gpukeeper::nvml

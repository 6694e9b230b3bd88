#include "backend/nvml/nvml_backend_class.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "backend/nvml/codes.hpp"

/// What a session finds: devices, their MIG instances, and what happened to them.
namespace gpukeeper::nvml {

using namespace abi;
using namespace std::chrono_literals;

namespace {

constexpr auto kMigModePeriod = 10s;
constexpr auto kMigInstancePeriod = 30s;
constexpr int kMostEvents = 64;  // in one go

}  // namespace

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
  auto unit = std::make_shared<Unit>(files_, recent_processes_, std::move(found), calls_per_second_);
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
      auto next = std::make_shared<Unit>(files_, recent_processes_, std::move(found), calls_per_second_);
      next->reader.xid = unit->reader.xid.load();
      unit = std::move(next);
      refresh_partitions(*session, *unit, now);
    } else if (recheck || now - unit->partitions_checked >= kMigInstancePeriod) {
      refresh_partitions(*session, *unit, now);
    }
  }
}

}  // namespace gpukeeper::nvml

#include "backend/kernel/kernel_log.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

constexpr auto kSameOccurrence = 1s;

}  // namespace

KernelLog::KernelLog(std::unique_ptr<KmsgReader> reader, const Files& files, const Clock& clock)
    : reader_(std::move(reader)),
      files_(files),
      clock_(clock),
      started_(clock.now().time_since_epoch()),
      places_(files, clock) {}

Result<std::vector<DeviceEvent>> KernelLog::take_events() {
  if (boot_id_.empty()) {
    const auto id = files_.read("/proc/sys/kernel/random/boot_id");
    boot_id_ = id ? std::string(trim(*id)) : "unknown";
  }
  const std::string awaited = awaiting_ ? awaiting_->key : "";
  std::optional<Error> error;
  for (int i = 0; i < kMostRecords; ++i) {
    const auto record = reader_->next();
    if (!record && record.error().code == Errc::resource_exhausted) {
      lost_ = true;
      continue;
    }
    if (!record) error = record.error();
    if (!record || !*record) break;
    take(**record);
  }
  if (error || (awaiting_ && awaiting_->key == awaited)) let_go();  // it had a whole call to be completed
  if (error && events_.empty()) return tl::make_unexpected(*std::move(error));
  return std::exchange(events_, {});
}

void KernelLog::take(const std::string& text) {
  const auto record = parse_kmsg(text);
  if (!record || (last_sequence_ && record->sequence <= *last_sequence_)) return;  // the log was opened again
  if (std::exchange(lost_, false)) take_lost(*record);
  last_sequence_ = record->sequence;
  if (record->from_kernel) take(*record);
}

void KernelLog::take_lost(const KmsgRecord& record) {
  const std::uint64_t records = last_sequence_ ? record.sequence - *last_sequence_ - 1 : record.sequence;
  DeviceEvent event;
  event.kind = EventKind::driver;
  event.at = wall_of(record);
  event.detail = fmt::format("{} records were lost: the kernel wrote them faster than they were read", records);
  event.source = name();
  event.key = key(record, "lost before ");
  let_go();
  events_.push_back(std::move(event));
}

void KernelLog::take(const KmsgRecord& record) {
  auto message = read_message(record.text, record.device);
  if (!message || !place(*message)) return;
  if (message->names_process) {
    if (awaiting_ && (!message->event.pci || !awaiting_->pci || message->event.pci == awaiting_->pci)) {
      awaiting_->pid = message->event.pid;
      awaiting_->process = message->event.process;
      let_go();
    }
    return;
  }
  if (is_counted_elsewhere(*message, record)) return;
  add(*std::move(message), record);
}

// Whether the message is about a GPU; puts its address there.
bool KernelLog::place(KernelMessage& message) {
  auto& pci = message.event.pci;
  if (message.of_pci) {
    pci = pci ? places_.gpu_of(*pci) : std::nullopt;
    return pci.has_value();
  }
  if (!pci && message.driver != "NVRM") {
    // i915 was the only DRM driver that spoke of hangs without its name.
    pci = places_.only_one_of(message.driver == "drm" ? "i915" : message.driver);
  }
  return true;
}

// What was logged before we looked is in the counters that PciErrors found, and nobody else tells it.
bool KernelLog::is_counted_elsewhere(const KernelMessage& message, const KmsgRecord& record) {
  constexpr std::string_view kCounted = "PCIe Bus Error";
  if (!message.of_pci || !message.event.detail.starts_with(kCounted) || record.since_boot < started_) return false;
  return files_.read(fmt::format("/sys/bus/pci/devices/{}/aer_dev_correctable", message.event.pci->to_string()))
      .has_value();
}

// Adds it to the event that it repeats.
bool KernelLog::repeats(const DeviceEvent& event, const KernelMessage& message) {
  const auto same = [&](const DeviceEvent& other) {
    return other.kind == event.kind && other.code == event.code && other.pci == event.pci &&
           other.source == event.source && event.at - other.at <= kSameOccurrence && other.pid == event.pid &&
           (event.kind != EventKind::driver || message.awaits_process);
  };
  // A device is given up, or its driver loaded, once, however many lines say so.
  const bool once = event.kind == EventKind::wedged || event.kind == EventKind::driver_reload;
  const auto count = [&](DeviceEvent& other) {
    if (!once) other.count += event.count;
    return true;
  };
  if (awaiting_ && same(*awaiting_)) return count(*awaiting_);
  const auto found = std::find_if(events_.rbegin(), events_.rend(), same);
  return found != events_.rend() && count(*found);
}

void KernelLog::add(KernelMessage message, const KmsgRecord& record) {
  DeviceEvent& event = message.event;
  event.at = wall_of(record);
  event.source = name();
  event.key = key(record, "");
  if (repeats(event, message)) return;
  let_go();
  if (message.awaits_process) {
    awaiting_ = std::move(event);
  } else {
    events_.push_back(std::move(event));
  }
}

void KernelLog::let_go() {
  if (awaiting_) events_.push_back(*std::exchange(awaiting_, std::nullopt));
}

std::string KernelLog::key(const KmsgRecord& record, std::string_view what) const {
  return fmt::format("{}/kmsg/{}{}", boot_id_, what, record.sequence);
}

// The kernel's stamps and our clock both count from boot and stand still while the machine sleeps. A record older than
// the machine's last sleep is dated too late by the length of that sleep.
WallTime KernelLog::wall_of(const KmsgRecord& record) const {
  const auto age = clock_.now().time_since_epoch() - std::chrono::nanoseconds(record.since_boot);
  return clock_.wall() - std::chrono::duration_cast<WallTime::duration>(std::max<std::chrono::nanoseconds>(age, 0ns));
}

}  // namespace gpukeeper

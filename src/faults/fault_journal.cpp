#include "faults/fault_journal.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

// A wall clock that is only kept in step (NTP) moves by less.
constexpr auto kClockWasSet = std::chrono::seconds(2);

FaultEntries load(FaultStore* store, std::string& error) {
  if (!store) return {};
  auto loaded = store->load(FaultBook::kRecords);
  if (loaded) return std::move(*loaded);
  error = fmt::format(
      "the fault journal in {} cannot be read: {}; faults are kept in memory until gpukeeper is "
      "started again",
      store->place(), loaded.error().message);
  return {};
}

}  // namespace

FaultJournal::FaultJournal(std::shared_ptr<FaultStore> store) : store_(std::move(store)) {
  FaultEntries stored = load(store_.get(), load_error_);
  watch_ = SnapshotWatch(stored.marks);
  book_ = FaultBook(std::move(stored), store_ && store_->keeps_made_up());
  if (store_ && !store_->is_read_only() && load_error_.empty()) writer_ = std::make_unique<FaultWriter>(store_);
  publish();
}

void FaultJournal::note(const Snapshot& snapshot) {
  watch_clock(snapshot);
  scenes_.look(snapshot);
  const auto found = watch_.look(snapshot);
  for (const DeviceEvent& event : snapshot.events) add(event);
  for (const DeviceEvent& event : found) add(event);
  if (!snapshot.events.empty() || !found.empty()) publish();
  if (writer_) store_changes(snapshot);
}

void FaultJournal::tell(Snapshot& snapshot) const {
  for (DeviceSnapshot& d : snapshot.devices) {
    const DeviceFaults faults = book_.faults_of(d.device->id);
    d.reading.faults = Count(faults.count);
    d.reading.faults_critical = Count(faults.critical);
    if (faults.count > 0) {
      d.reading.fault_last = faults.last;
    } else {
      d.reading.fault_last = missing(Missing::not_supported);
    }
  }
  say_how_it_is_kept(snapshot);
}

void FaultJournal::say_how_it_is_kept(Snapshot& snapshot) const {
  if (!store_) return;
  const std::string trouble = writer_ ? writer_->message() : load_error_;
  const std::string notice = store_->notice();
  if (!trouble.empty()) {
    snapshot.event_sources.push_back({std::string(kFaultJournal), false, trouble});
  } else if (!notice.empty()) {
    snapshot.event_sources.push_back({std::string(kFaultJournal), true, notice});
  }
}

void FaultJournal::watch_clock(const Snapshot& snapshot) {
  const auto offset = snapshot.taken_at.time_since_epoch() -
                      std::chrono::duration_cast<WallTime::duration>(snapshot.monotonic.time_since_epoch());
  const auto by = offset - clock_offset_.value_or(offset);
  if (by >= kClockWasSet || -by >= kClockWasSet) book_.clock_was_set(by);
  clock_offset_ = offset;
}

void FaultJournal::add(const DeviceEvent& event) {
  book_.add(event, scenes_.of(event));
}

void FaultJournal::store_changes(const Snapshot& snapshot) {
  const bool all = writer_->wants_everything();
  FaultEntries changes = book_.take_changes();
  if (all) changes = book_.everything();
  const auto changed = watch_.take_changed_marks();
  std::ranges::copy_if(all ? watch_.marks() : changed, std::back_inserter(changes.marks),
                       [&](const WatchMark& mark) { return is_kept(mark.device, snapshot); });
  writer_->put(std::move(changes));
}

// Marks of made-up devices have no business among those of real ones.
bool FaultJournal::is_kept(const DeviceId& device, const Snapshot& snapshot) const {
  const auto found = std::ranges::find(snapshot.devices, device, [](const DeviceSnapshot& d) { return d.device->id; });
  const bool made_up = found != snapshot.devices.end() && (found->device->simulated || found->device->recorded);
  return made_up == store_->keeps_made_up();
}

void FaultJournal::publish() {
  published_.publish(std::make_shared<const FaultList>(FaultList{book_.records(), book_.totals()}));
}

}  // namespace gpukeeper

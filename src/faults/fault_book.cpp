#include "faults/fault_book.hpp"

#include <algorithm>

namespace gpukeeper {
namespace {

// Longer texts of a driver, or of whoever writes into the kernel's log, are cut.
constexpr std::size_t kLongestText = 1000;

std::string cut(std::string text) {
  if (text.size() > kLongestText) text.resize(kLongestText);
  return text;
}

std::string known_by(const std::string& source, const std::string& key) {
  return source + '\n' + key;
}

void add_source(std::vector<std::string>& sources, const std::string& source) {
  if (std::ranges::find(sources, source) == sources.end()) sources.push_back(source);
}

// Whether the source reads counters from time to time, so that it sees what happened late.
bool counts(const std::string& source) {
  return source == kReadings || source == "pcie counters";
}

WallTime::duration distance(WallTime a, WallTime b) {
  return a > b ? a - b : b - a;
}

// Adds the processes that were not known before, and whom the driver blames.
void add_processes(FaultRecord& record, const std::optional<std::vector<FaultProcess>>& more) {
  if (!more) return;
  if (!record.processes) record.processes.emplace();
  for (const FaultProcess& process : *more) {
    const auto known = std::ranges::find(*record.processes, process.pid, &FaultProcess::pid);
    if (known != record.processes->end()) {
      known->blamed |= process.blamed;
    } else if (record.processes->size() < FaultBook::kProcesses) {
      record.processes->push_back(process);
    }
  }
}

}  // namespace

FaultBook::FaultBook(FaultEntries stored, bool keep_made_up) : keep_made_up_(keep_made_up) {
  for (FaultRecord& record : stored.records) {
    last_record_ = std::max(last_record_, record.id);
    const WallTime first = record.first;
    const WallTime last = record.last;
    entries_.push_back({std::make_shared<const FaultRecord>(std::move(record)), first, last});
  }
  while (entries_.size() > kRecords) entries_.pop_front();
  for (FaultTotal& total : stored.totals) {
    DeviceFaults& device = devices_[total.device];
    device.count += total.count;
    if (total.severity == Severity::critical) device.critical += total.count;
    device.last = std::max(device.last, total.last);
    const TotalKey key(total.device, total.kind, total.severity);
    totals_[key] = {std::move(total), true};
  }
  for (FaultReport& stored_report : stored.reports) {
    last_record_ = std::max(last_record_, stored_report.record);
    remember_key(stored_report.source, stored_report.key);
    const bool another = stored_report.occurrence == last_occurrence_;
    last_occurrence_ = std::max(last_occurrence_, stored_report.occurrence);
    if (const Entry* entry = find(stored_report.record)) {
      const Subject subject(entry->record->device, entry->record->kind, entry->record->code);
      if (!another) add_occurrence(subject, {stored_report.occurrence, stored_report.record, 0, stored_report.at, {}});
      Occurrence& occurrence = occurrences_[subject].back();
      const auto told = occurrence.reported[stored_report.source] += stored_report.count;
      occurrence.count = std::max(occurrence.count, told);
    }
    reports_.push_back(std::move(stored_report));
  }
}

void FaultBook::add(DeviceEvent event, FaultScene scene) {
  if (is_known(event)) return;
  remember_key(event.source, event.key);
  const Subject subject(scene.device, event.kind, event.code);
  event.count -= confirm(subject, event, scene);
  if (event.count == 0) return;
  Entry& entry = fold_or_begin(event, scene);
  count(entry, event.count, event.at);
  ++last_occurrence_;
  report(entry, last_occurrence_, event.count, event);
  add_occurrence(subject, {last_occurrence_, entry.record->id, event.count, event.at, {{event.source, event.count}}});
}

void FaultBook::clock_was_set(WallTime::duration by) {
  for (Entry& entry : entries_) {
    entry.first += by;
    entry.last += by;
  }
  for (auto& [subject, list] : occurrences_) {
    for (Occurrence& occurrence : list) occurrence.at += by;
  }
}

bool FaultBook::is_known(const DeviceEvent& event) const {
  return event.count == 0 || (!event.key.empty() && keys_.contains(known_by(event.source, event.key)));
}

void FaultBook::remember_key(const std::string& source, const std::string& key) {
  if (key.empty() || !keys_.insert(known_by(source, key)).second) return;
  keys_order_.push_back(known_by(source, key));
  if (keys_order_.size() <= kReports) return;
  keys_.erase(keys_order_.front());
  keys_order_.pop_front();
}

// Pairs the event with what other sources reported, and says how many occurrences it only tells of again.
std::uint64_t FaultBook::confirm(const Subject& subject, DeviceEvent& event, const FaultScene& scene) {
  const auto found = occurrences_.find(subject);
  if (found == occurrences_.end()) return 0;
  std::uint64_t confirmed = 0;
  for (Occurrence& occurrence : found->second) {
    const bool slow = counts(event.source) ||
                      std::ranges::any_of(occurrence.reported, [](const auto& told) { return counts(told.first); });
    if (distance(occurrence.at, event.at) > (slow ? kSlowPairing : kPairing)) continue;
    const auto told = occurrence.reported.find(event.source);
    const std::uint64_t room = occurrence.count - (told == occurrence.reported.end() ? 0 : told->second);
    const std::uint64_t more = std::min(room, event.count - confirmed);
    if (more == 0) continue;
    occurrence.reported[event.source] += more;
    confirmed += more;
    if (Entry* entry = find(occurrence.record)) {  // else it is so old that it has left the memory
      enrich(*entry, event, scene);
      report(*entry, occurrence.number, more, event);
    }
    if (confirmed == event.count) break;
  }
  return confirmed;
}

void FaultBook::add_occurrence(const Subject& subject, Occurrence occurrence) {
  const auto place = occurrences_.try_emplace(subject).first;
  place->second.push_back(std::move(occurrence));
  order_.push_back(place);
  if (order_.size() <= kReports) return;
  const auto oldest = order_.front();
  order_.pop_front();
  oldest->second.pop_front();
  if (oldest->second.empty()) occurrences_.erase(oldest);
}

// What is told again may say more of it.
void FaultBook::enrich(Entry& entry, const DeviceEvent& event, const FaultScene& scene) {
  FaultRecord record = *entry.record;
  add_source(record.sources, event.source);
  if (event.detail.size() > record.detail.size()) {
    record.detail = cut(event.detail);
    fill_explanation(record);
  }
  add_processes(record, scene.processes);
  entry.record = std::make_shared<const FaultRecord>(std::move(record));
}

// The record that a new occurrence belongs to.
FaultBook::Entry& FaultBook::fold_or_begin(const DeviceEvent& event, FaultScene& scene) {
  const Explanation words = explain(event);
  const auto follows = [&](const Entry& entry) {
    const FaultRecord& r = *entry.record;
    return r.kind == event.kind && r.code == event.code && r.device == scene.device && entry.kept == is_kept(scene) &&
           event.at >= entry.first - kFolding && event.at <= entry.last + kFolding && r.title == words.title &&
           (r.kind != EventKind::driver || r.detail == event.detail);  // its messages say all sorts of things
  };
  const auto found = std::find_if(entries_.rbegin(), entries_.rend(), follows);
  if (found != entries_.rend()) {
    FaultRecord record = *found->record;
    record.count += event.count;
    record.first = std::min(record.first, event.at);
    record.last = std::max(record.last, event.at);
    found->first = std::min(found->first, event.at);
    found->last = std::max(found->last, event.at);
    add_source(record.sources, event.source);
    add_processes(record, scene.processes);
    found->record = std::make_shared<const FaultRecord>(std::move(record));
    return *found;
  }
  FaultRecord record;
  record.id = ++last_record_;
  record.kind = event.kind;
  record.code = event.code;
  record.device = std::move(scene.device);
  record.pci = scene.pci;
  record.device_name = cut(std::move(scene.device_name));
  record.simulated = scene.simulated;
  record.recorded = scene.recorded;
  record.first = event.at;
  record.last = event.at;
  record.count = event.count;
  record.detail = cut(event.detail);
  record.sources = {event.source};
  add_processes(record, scene.processes);
  record.severity = words.severity;
  fill_explanation(record);
  entries_.push_back({std::make_shared<const FaultRecord>(std::move(record)), event.at, event.at, is_kept(scene)});
  if (entries_.size() > kRecords) entries_.pop_front();
  return entries_.back();
}

FaultBook::Entry* FaultBook::find(std::uint64_t record) {
  const auto found = std::ranges::lower_bound(entries_, record, {}, [](const Entry& e) { return e.record->id; });
  return found != entries_.end() && found->record->id == record ? &*found : nullptr;
}

void FaultBook::count(const Entry& entry, std::uint64_t more, WallTime at) {
  const FaultRecord& record = *entry.record;
  const TotalKey key(record.device, record.kind, record.severity);
  auto& [total, kept] = totals_[key];
  kept = entry.kept;
  total.device = record.device;
  total.kind = record.kind;
  total.severity = record.severity;
  total.count += more;
  total.last = std::max(total.last, at);
  if (kept) changed_totals_.insert(key);
  DeviceFaults& device = devices_[record.device];
  device.count += more;
  if (record.severity == Severity::critical) device.critical += more;
  device.last = std::max(device.last, at);
}

// The key goes with the first of an event's reports.
void FaultBook::report(const Entry& entry, std::uint64_t occurrence, std::uint64_t count, DeviceEvent& event) {
  if (!entry.kept) return;
  changed_records_[entry.record->id] = entry.record;
  new_reports_.push_back({entry.record->id, occurrence, event.at, count, event.source, std::exchange(event.key, {})});
  reports_.push_back(new_reports_.back());
  if (reports_.size() > kReports) reports_.pop_front();
}

FaultEntries FaultBook::take_changes() {
  FaultEntries changes;
  for (const auto& [id, record] : std::exchange(changed_records_, {})) changes.records.push_back(*record);
  for (const TotalKey& key : std::exchange(changed_totals_, {})) changes.totals.push_back(totals_.at(key).total);
  changes.reports = std::exchange(new_reports_, {});
  return changes;
}

FaultEntries FaultBook::everything() const {
  FaultEntries all;
  for (const Entry& entry : entries_) {
    if (entry.kept) all.records.push_back(*entry.record);
  }
  for (const auto& [key, tally] : totals_) {
    if (tally.kept) all.totals.push_back(tally.total);
  }
  all.reports.assign(reports_.begin(), reports_.end());
  std::ranges::stable_sort(all.reports, {}, &FaultReport::occurrence);
  return all;
}

std::vector<std::shared_ptr<const FaultRecord>> FaultBook::records() const {
  std::vector<std::shared_ptr<const FaultRecord>> result;
  result.reserve(entries_.size());
  for (const Entry& entry : entries_) result.push_back(entry.record);
  return result;
}

std::vector<FaultTotal> FaultBook::totals() const {
  std::vector<FaultTotal> result;
  result.reserve(totals_.size());
  for (const auto& [key, tally] : totals_) result.push_back(tally.total);
  return result;
}

DeviceFaults FaultBook::faults_of(const DeviceId& device) const {
  const auto found = devices_.find(device);
  return found == devices_.end() ? DeviceFaults{} : found->second;
}

}  // namespace gpukeeper
